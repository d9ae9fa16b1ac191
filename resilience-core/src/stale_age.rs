//! The age of the last good values that the calls inside a scope returned.

use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::clock::now;
use crate::context::execution_facts;

thread_local! {
    /// The age of the oldest last good value in the running scope.
    static OLDEST: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Notes the age of a returned value in the scope of the caller.
pub(crate) fn note(age: Duration) {
    OLDEST.with(|oldest| oldest.set(oldest.get().max(Some(age))));
    execution_facts::record(|facts| {
        let time = now().minus(age);
        facts.oldest_value = Some(facts.oldest_value.map_or(time, |oldest| oldest.min(time)));
    });
}

/// A scope on this thread. On drop the outer scope continues with the ages of both.
struct Scope {
    outer: Option<Duration>,
}

impl Scope {
    fn enter(own: Option<Duration>) -> Self {
        Self { outer: OLDEST.with(|oldest| oldest.replace(own)) }
    }

    /// Returns the age of the oldest value since the start of the scope.
    fn oldest() -> Option<Duration> {
        OLDEST.with(Cell::get)
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        OLDEST.with(|oldest| oldest.set(oldest.get().max(self.outer)));
    }
}

/// Runs `body`, and returns the age of the oldest last good value that `#[fallback(stale = …)]`
/// returned inside, in any function on this thread; `None` if all values were fresh.
///
/// ```
/// let (sum, age) = resilience::stale_age(|| 1 + 1);
/// assert_eq!((sum, age), (2, None));
/// ```
pub fn stale_age<R>(body: impl FnOnce() -> R) -> (R, Option<Duration>) {
    let _scope = Scope::enter(None);
    let result = body();
    let age = Scope::oldest();
    (result, age)
}

pin_project! {
    /// The future of [`stale_age_async`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct StaleAge<F> {
        #[pin]
        body: F,
        oldest: Option<Duration>,
    }
}

/// Awaits `body`, and returns the age of the oldest last good value that
/// `#[fallback(stale = …)]` returned inside, in any function of the same task; `None` if all values
/// were fresh. A spawned task is a task of its own.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (page, age) = resilience::stale_age_async(async { "page" }).await;
/// assert_eq!((page, age), ("page", None)); // an age would become the header `Age`
/// # });
/// ```
pub fn stale_age_async<F: Future>(body: F) -> StaleAge<F> {
    StaleAge { body, oldest: None }
}

impl<F: Future> Future for StaleAge<F> {
    type Output = (F::Output, Option<Duration>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _scope = Scope::enter(*this.oldest);
        let polled = this.body.poll(cx);
        *this.oldest = Scope::oldest();
        polled.map(|output| (output, *this.oldest))
    }
}
