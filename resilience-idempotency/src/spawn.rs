//! Background tasks that outlive their call.

use core::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use resilience_core::__internal::spawn_on_tokio;

use crate::wait::now_or_never;

/// Finishes `work` after its caller has left: polls once, and spawns the rest on the current tokio
/// runtime. Outside of a runtime the rest is dropped.
pub(crate) fn finish(work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(work);
    // A store that needs a runtime may panic after the runtime has ended.
    let is_ready = || now_or_never(work.as_mut()).is_some();
    if matches!(catch_unwind(AssertUnwindSafe(is_ready)), Ok(false)) {
        drop(spawn_on_tokio(work));
    }
}
