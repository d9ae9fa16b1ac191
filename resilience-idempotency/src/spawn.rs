//! Work that outlives the call that started it.

use core::future::Future;
use core::pin::Pin;

/// Spawns `future` on the current tokio runtime, or drops it where there is none.
pub(crate) fn spawn(future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
        return;
    }
    drop(future);
}
