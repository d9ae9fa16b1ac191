//! Background tasks that outlive their call.

use core::future::Future;
use core::pin::Pin;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::wait::now_or_never;

/// Finishes `work` after its caller has left: polls once, and spawns the rest on the current tokio
/// runtime. Outside of a runtime the rest is dropped.
pub(crate) fn finish(work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(work);
    // A store that needs a runtime may panic after the runtime has ended.
    let is_ready = || now_or_never(work.as_mut()).is_some();
    if matches!(catch_unwind(AssertUnwindSafe(is_ready)), Ok(false)) {
        spawn(work);
    }
}

fn spawn(work: Pin<Box<dyn Future<Output = ()> + Send>>) {
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
        return;
    }
    drop(work);
}
