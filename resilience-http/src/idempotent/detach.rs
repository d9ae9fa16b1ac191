//! Work that goes on when the one who asked for it has hung up, and panics that are passed on.

use core::any::Any;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Handle;

/// What a panic carries.
pub(super) type Panic = Box<dyn Any + Send>;

/// Runs a future as a task of its own, which is not dropped with the caller. None where the runtime ends before
/// it does. Outside of a runtime it runs in place.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let Ok(runtime) = Handle::try_current() else { return Some(work.await) };
    // What it logs belongs to its request, there as here.
    #[cfg(feature = "tracing")]
    let work = tracing::Instrument::in_current_span(work);
    match runtime.spawn(work).await {
        Ok(out) => Some(out),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => None,
        },
    }
}

/// What a future comes to, or the panic that ended it.
pub(super) async fn caught<F: Future>(work: F) -> Result<F::Output, Panic> {
    let mut work = pin!(work);
    // Nobody sees the future again after a panic, but to drop it.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
