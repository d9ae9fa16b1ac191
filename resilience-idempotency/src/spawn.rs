//! Background tasks that outlive their call.

use core::future::Future;
use core::pin::Pin;

/// Spawns `future` on the current tokio runtime. Drops `future` outside of a runtime.
pub(crate) fn spawn(future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
        return;
    }
    drop(future);
}
