//! A body that is lent to the runner.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A body that stays where it is, in the function's own future: handed over by value it would lie in the futures
/// of the runner several times over, and steps in steps would multiply that.
///
/// Dropped with this, so that it has ended when the store is told of it.
#[derive(Debug)]
pub struct PinnedBody<'b, F>(pub Pin<&'b mut Option<F>>);

impl<F: Future> Future for PinnedBody<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.0.as_mut().as_pin_mut() {
            Some(body) => body.poll(cx),
            // Only a drop takes it away.
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for PinnedBody<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
