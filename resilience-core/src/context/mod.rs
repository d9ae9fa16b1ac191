//! The context of a call: the deadline, the priority and the retry outside.
//!
//! A function with `#[timeout]` or `#[retry(deadline = …)]` sets a deadline for its body. Every
//! attribute below in the same task or thread reads the deadline, through any number of functions
//! without attributes. [`Context`] sets the values by hand, and [`spawn`] and [`carry`] take the
//! context into another task.
//!
//! Below a deadline:
//!
//! - a `#[timeout]` gets the smaller bound;
//! - a wait that cannot end before the deadline is not begun: the delay of a retry, the turn of a
//!   rate limit. A wait for a permit ends at the deadline;
//! - a call after the deadline is rejected with [`RejectedKind::DeadlineExceeded`], and the body
//!   does not run.
//!
//! ```
//! use core::time::Duration;
//! use resilience::{context, testing, timeout, Rejected};
//!
//! #[timeout("30s")]
//! async fn handler() -> Result<(), Rejected> {
//!     assert_eq!(context::remaining(), Some(Duration::from_secs(30)));
//!     assert!(context::set_by().unwrap().ends_with("::handler"));
//!     Ok(())
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! let _clock = testing::clock();
//! runtime.block_on(handler())?;
//! assert_eq!(context::remaining(), None);
//! # Ok::<(), Rejected>(())
//! ```

pub(crate) mod attempt;
pub(crate) mod current;
pub(crate) mod execution_facts;
pub(crate) mod executions;
pub(crate) mod nesting;
mod priority;
pub(crate) mod retried;
mod scope;

use core::future::Future;
use core::time::Duration;

use self::current::{Deadline, OuterRetry, Values};
use self::nesting::Nested;
pub use self::priority::{Priority, UnknownPriority};
pub use self::scope::InContext;
#[cfg(feature = "tokio")]
use crate::clock::JoinHandle;
use crate::clock::now;
use crate::failure_text::FailureText;
use crate::keyed::KeyLabel;
use crate::rejected::{Rejected, RejectedKind};

/// The values that calls inside inherit. A copy, independent of the running code.
///
/// ```
/// use core::time::Duration;
/// use resilience::context::{self, Context, Priority};
///
/// let batch = Context::current()
///     .deadline(Duration::from_secs(30), "nightly")
///     .priority(Priority::Sheddable);
/// batch.run(|| {
///     assert!(context::remaining() <= Some(Duration::from_secs(30)));
///     assert_eq!(context::priority(), Some(Priority::Sheddable));
/// });
/// assert_eq!(context::priority(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a context has no effect until `run` or `scope`"]
pub struct Context {
    values: Values,
}

impl Context {
    /// Returns an empty context, for work that must not end with the call that started the work.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the context of the running code.
    pub fn current() -> Self {
        Self { values: current::values() }
    }

    /// Sets the deadline to the end of `limit`, unless the deadline of this context is earlier.
    /// `set_by` is the name in rejections.
    pub fn deadline(mut self, limit: Duration, set_by: &'static str) -> Self {
        let at = now().plus(limit);
        if self.values.deadline.is_none_or(|earlier| at < earlier.at) {
            self.values.deadline = Some(Deadline { at, set_by });
        }
        self
    }

    /// Sets the priority.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.values.priority = Some(priority);
        self
    }

    /// Sets the number of the attempt that a client announced; 1 is the first.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.values.received_attempt = attempt;
        self
    }

    /// Sets that a client repeats the call, and the effect on the retries inside.
    pub fn nested(mut self, nested: Nested) -> Self {
        let outer_only = nested == Nested::OuterOnly;
        let attempt = self.values.received_attempt;
        self.values.retry = Some(OuterRetry { name: "the client", outer_only, attempt });
        self
    }

    /// Returns the time until the deadline of this context.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.values.deadline.map(|deadline| deadline.at.since(now()))
    }

    /// Runs `body` in this context.
    pub fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _scope = current::replace(self.values, current::new_call());
        body()
    }

    /// Returns `future` with this context. The context is set during each poll.
    pub fn scope<F: Future>(&self, future: F) -> InContext<F> {
        InContext::new(future, self.values, Box::default())
    }
}

/// Returns the time until the deadline; zero after the deadline, and `None` without a deadline.
#[must_use]
pub fn remaining() -> Option<Duration> {
    current::deadline().map(|deadline| deadline.at.since(now()))
}

/// Returns the name of the function that set the deadline.
#[must_use]
pub fn set_by() -> Option<&'static str> {
    current::deadline().map(|deadline| deadline.set_by)
}

/// Returns the priority of the call, if set.
#[must_use]
pub fn priority() -> Option<Priority> {
    current::values().priority
}

/// Returns the number of the attempt: of the nearest retry that sets the context, or the number
/// that the client sent. 1 is the first; `None` if unknown.
#[must_use]
pub fn attempt() -> Option<u32> {
    let values = current::values();
    let own = values.retry.map(|retry| retry.attempt).filter(|attempt| *attempt > 0);
    own.or(Some(values.received_attempt)).filter(|attempt| *attempt > 0)
}

/// Returns the effect of the nearest retry outside on the retries inside; `None` without a retry
/// that sets the context.
#[must_use]
pub fn nested() -> Option<Nested> {
    let is_sole = current::outer_retry()?.outer_only;
    Some(if is_sole { Nested::OuterOnly } else { Nested::Multiply })
}

/// Returns `future` with the context of the running code, for a task that another executor runs.
///
/// Inside an execution of `#[coalesce]`, the task is part of the execution: a call with the key of
/// the execution runs by itself, because the execution may wait for the task.
///
/// ```
/// use core::time::Duration;
/// use resilience::context::{self, Context};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let _guard = runtime.enter();
/// let context = Context::new().deadline(Duration::from_secs(5), "import");
/// let task = context.run(|| context::carry(async { context::set_by() }));
/// assert_eq!(runtime.block_on(task), Some("import"));
/// ```
pub fn carry<F: Future>(future: F) -> InContext<F> {
    InContext::new(future, current::values(), executions::current())
}

/// Spawns `future` on the current tokio runtime, with the context of the running code.
///
/// # Panics
/// Outside a tokio runtime, as `tokio::spawn`.
#[cfg(feature = "tokio")]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    crate::clock::spawn(carry(future))
}

/// Returns whether a call starts after its deadline.
#[inline]
pub(crate) fn is_overdue() -> bool {
    current::passed().is_some()
}

/// Returns the rejection of a call by this policy after the deadline of the call, or `None` before
/// the deadline.
#[doc(hidden)]
#[inline]
#[must_use]
pub fn overdue(policy: &'static str, key: Option<&KeyLabel>) -> Option<Rejected> {
    current::passed().map(|deadline| after_deadline(policy, key, deadline))
}

/// Returns the rejection of a call without any time left: of the context, or of a layer of the same
/// function.
#[cold]
pub(crate) fn not_started(policy: &'static str) -> Rejected {
    let own = || Rejected::by_policy(RejectedKind::DeadlineExceeded, policy, None, None);
    overdue(policy, None).unwrap_or_else(own)
}

#[cold]
fn after_deadline(policy: &'static str, key: Option<&KeyLabel>, deadline: Deadline) -> Rejected {
    let rejected = Rejected::by_policy(RejectedKind::DeadlineExceeded, policy, None, key);
    because(rejected, retried::last_failure()).with_deadline_of(deadline.set_by)
}

/// Sets the failure, if any, as the source.
fn because(rejected: Rejected, failure: Option<FailureText>) -> Rejected {
    match failure {
        Some(failure) => rejected.because(failure),
        None => rejected,
    }
}

/// Adds the function that set the deadline to the rejection of a call that timed out at the
/// deadline, and the last failure of a retry below the time limit or below the deadline.
#[cold]
#[must_use]
pub(crate) fn blame_deadline(rejected: Rejected) -> Rejected {
    let failure = retried::last_failure_of_ended();
    match current::passed() {
        // The deadline of the function itself needs no second name.
        Some(deadline) if deadline.set_by != rejected.name() => {
            let failure = failure.or_else(retried::last_failure);
            because(rejected, failure).with_deadline_of(deadline.set_by)
        }
        _ => because(rejected, failure),
    }
}
