//! A timeout for a future.

use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::clock::{DeadlineTimer, Timestamp};
use crate::context::current::{self, Setter};
use crate::registry::{Site, TimedFunction};

/// The site of a timeout.
pub trait TimeoutSite {
    /// The place in the source code.
    fn location(&self) -> &'static Location<'static>;

    /// Returns the setter of the deadline of the calls inside, if any.
    fn setter(&self) -> Option<&'static Setter>;
}

impl TimeoutSite for &'static TimedFunction {
    #[inline]
    fn location(&self) -> &'static Location<'static> {
        self.site.location
    }

    #[inline]
    fn setter(&self) -> Option<&'static Setter> {
        Some(&self.setter)
    }
}

/// A layer of `tower`: the layers around one service are no functions of their own.
impl TimeoutSite for Site {
    fn location(&self) -> &'static Location<'static> {
        self.location
    }

    fn setter(&self) -> Option<&'static Setter> {
        None
    }
}

/// Runs `body` for at most `limit`, and at most until `bound` and the deadline of the context. The
/// end is the deadline of the calls inside, set by the function of `site`. The limit in use comes
/// from [`Site::limit_in_use`](crate::registry::Site::limit_in_use).
///
/// # Errors
/// Returns the allowed time if the time ends before `body` does. After the deadline the time is
/// zero, and the body does not start.
#[inline]
pub fn timeout<S: TimeoutSite, F: Future>(
    limit: Duration,
    bound: Option<Timestamp>,
    site: S,
    body: F,
) -> Timeout<S, F> {
    let outside = current::deadline_outside(Some(site.location()));
    let bound = match (bound, outside) {
        (Some(bound), Some(outside)) => Some(bound.min(outside)),
        (bound, outside) => bound.or(outside),
    };
    let timer = DeadlineTimer::start(limit, bound);
    Timeout { body, timer, site }
}

pin_project! {
    /// The future of [`timeout`]. An `async fn` would store the arguments a second time.
    #[must_use]
    pub struct Timeout<S, F> {
        #[pin]
        body: F,
        #[pin]
        timer: DeadlineTimer,
        site: S,
    }
}

impl<S, F> core::fmt::Debug for Timeout<S, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timeout").finish_non_exhaustive()
    }
}

impl<S: TimeoutSite, F: Future> Future for Timeout<S, F> {
    type Output = Result<F::Output, Duration>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.timer.is_over() {
            return Poll::Ready(Err(Duration::ZERO));
        }
        // The body is polled first: a body that is ready wins over a timer that is ready too.
        let scope = this.site.setter().map(|setter| {
            // The timer knows the end.
            current::enter_deadline(this.timer.end(), setter)
        });
        let polled = this.body.poll(cx);
        drop(scope);
        match polled {
            Poll::Ready(out) => Poll::Ready(Ok(out)),
            Poll::Pending => this.timer.poll(cx).map(Err),
        }
    }
}
