//! The attempt that runs on this thread: connects a retry with policies below that the retry cannot
//! name, such as a limit in the body of a call by hand, or a service below a layer.
//!
//! A retry enters its scope for each poll of an attempt. Policies use the scope on slow paths
//! only: before a rejection, while a call waits, and after a failure that leaves a circuit open.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::cell::Cell;

use crate::clock::{self, Timestamp};
use crate::rejection_signal::RejectionSignal;

thread_local! {
    static CURRENT: Cell<Scope> = const { Cell::new(Scope::NONE) };
}

/// The facts about an attempt, for the policies below, and the reports of these policies.
#[derive(Clone, Copy, Debug)]
struct Scope {
    /// How long a limit may let the call wait in place of a rejection, in nanoseconds.
    patience: u64,
    /// The end of the whole call.
    deadline: Option<Timestamp>,
    reports: Reports,
}

impl Scope {
    const NONE: Self = Self { patience: 0, deadline: None, reports: Reports::NONE };
}

/// The reports of the policies below, in one word, because a scope is copied several times: for how
/// long a circuit rejects every call, in nanoseconds, whether the call waits in place of a
/// rejection, and whether there is a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reports(u64);

const IN_QUEUE: u64 = 1 << 63;
const IN_SCOPE: u64 = 1 << 62;
const OPEN_FOR: u64 = IN_SCOPE - 1;

impl Reports {
    const NONE: Self = Self(0);
    const NONE_IN_SCOPE: Self = Self(IN_SCOPE);

    #[inline]
    const fn open_for(self) -> u64 {
        self.0 & OPEN_FOR
    }
}

/// The scope of the attempts of one call.
#[derive(Clone, Copy, Debug)]
pub struct AttemptScope(Scope);

impl AttemptScope {
    /// Creates the scope of a call: how long a limit may let the call wait in place of a rejection,
    /// in nanoseconds, and the end of the whole call.
    #[inline]
    pub(crate) const fn new(patience: u64, deadline: Option<Timestamp>) -> Self {
        Self(Scope { patience, deadline, ..Scope::NONE })
    }

    /// Runs a part of an attempt. Only the reports of the last part count.
    #[inline]
    pub fn enter<T>(&mut self, part: impl FnOnce() -> T) -> T {
        self.0.reports = Reports::NONE_IN_SCOPE;
        let outer = CURRENT.with(|current| current.replace(self.0));
        let _entered = Entered { outer, reports: &mut self.0.reports };
        part()
    }

    /// Runs an attempt. `start` creates the future at the first poll.
    pub(crate) fn run<F: Future>(
        &mut self,
        mut attempt: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
        start: impl FnOnce() -> F,
    ) -> Poll<F::Output> {
        self.enter(|| {
            if attempt.is_none() {
                attempt.set(Some(start()));
            }
            // The future is present from here on.
            attempt.as_pin_mut().map_or(Poll::Pending, |attempt| attempt.poll(cx))
        })
    }

    /// Returns the open time of a circuit below, if any, as a signal for the decision about the
    /// next attempt.
    #[inline]
    #[must_use]
    pub fn signal(&self) -> Option<RejectionSignal> {
        let open_for = self.0.reports.open_for();
        (open_for > 0).then(|| {
            let signal = RejectionSignal::new();
            signal.set_open_for(Duration::from_nanos(open_for));
            signal
        })
    }
}

/// Restores the outer scope, also during unwinding, and takes the reports.
struct Entered<'s> {
    outer: Scope,
    reports: &'s mut Reports,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.reports = CURRENT.with(|current| current.replace(self.outer)).reports;
        let open_for = self.reports.open_for();
        if open_for > 0 {
            // A retry inside that ends here has left the circuit open for the retry outside too.
            report_open(Duration::from_nanos(open_for));
        }
    }
}

/// Reports that a circuit below rejects every call for this time.
#[cold]
pub(crate) fn report_open(open: Duration) {
    change(|reports| {
        let open_for = clock::nanos(open).min(OPEN_FOR).max(reports.open_for());
        reports.0 = reports.0 & !OPEN_FOR | open_for;
    });
}

/// Returns for how long a circuit below rejects every call, by the reports of this part of the
/// attempt.
pub(crate) fn open_for() -> Duration {
    Duration::from_nanos(CURRENT.get().reports.open_for())
}

/// Returns how long a limit may let the call wait in place of a rejection, in nanoseconds: as long
/// as the function says, or until the retry of this thread gives up, if later.
pub(crate) fn patience(of_function: u64) -> u64 {
    let Scope { patience, deadline, .. } = CURRENT.get();
    let rest = deadline.map_or(u64::MAX, |deadline| clock::nanos(deadline.since(clock::now())));
    patience.min(rest).max(of_function)
}

/// Returns whether a limit may let the call wait in place of a rejection, for the retry of this
/// thread or of the function. A wait without a limit (`u64::MAX`) is the wait of the limit itself.
#[inline]
pub(crate) fn is_patient(of_function: u64) -> bool {
    CURRENT.with(|scope| scope.get().patience) > 0 || of_function > 0 && of_function < u64::MAX
}

/// Reports that the call waits in place of a rejection.
pub(crate) fn report_queue() {
    if CURRENT.get().patience > 0 {
        change(|reports| reports.0 |= IN_QUEUE);
    }
}

/// Returns whether the call waits in place of a rejection: the time belongs to the retry, and not
/// to the attempt.
pub(crate) fn is_in_queue() -> bool {
    CURRENT.get().reports.0 & IN_QUEUE != 0
}

fn change(change: impl FnOnce(&mut Reports)) {
    let mut scope = CURRENT.get();
    if scope.reports.0 & IN_SCOPE != 0 {
        change(&mut scope.reports);
        CURRENT.set(scope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(seconds: u64) -> AttemptScope {
        AttemptScope::new(clock::nanos(Duration::from_secs(seconds)), None)
    }

    fn open_for(scope: &AttemptScope) -> Duration {
        scope.signal().map_or(Duration::ZERO, |signal| signal.open_for())
    }

    #[test]
    fn a_wait_in_a_queue_is_no_open_time() {
        let mut scope = patient(9);
        scope.enter(|| {
            report_queue();
            report_open(Duration::from_secs(5));
            assert!(is_in_queue());
        });
        assert_eq!(open_for(&scope), Duration::from_secs(5));
        scope.enter(report_queue);
        assert_eq!(open_for(&scope), Duration::ZERO);
    }

    #[test]
    fn an_inner_scope_hides_the_outer_scope_until_its_end() {
        let (mut outer, mut inner) = (patient(9), patient(1));
        outer.enter(|| {
            assert_eq!(patience(0), 9_000_000_000);
            inner.enter(|| {
                assert_eq!(patience(0), 1_000_000_000);
                report_open(Duration::from_secs(5));
            });
            assert_eq!(patience(0), 9_000_000_000);
        });
        assert_eq!(patience(0), 0);
        assert_eq!(open_for(&inner), Duration::from_secs(5));
        assert_eq!(open_for(&outer), Duration::from_secs(5));
    }

    #[test]
    fn the_patience_ends_at_the_deadline() {
        let time = crate::testing::clock();
        let deadline = clock::now().plus(Duration::from_secs(4));
        let mut scope = AttemptScope::new(9_000_000_000, Some(deadline));
        assert_eq!(scope.enter(|| patience(0)), 4_000_000_000);
        time.advance(Duration::from_secs(3));
        assert_eq!(scope.enter(|| patience(0)), 1_000_000_000);
        assert_eq!(scope.enter(|| patience(2_000_000_000)), 2_000_000_000);
    }

    #[test]
    fn a_panic_restores_the_outer_scope() {
        let mut scope = patient(9);
        let panicked = std::panic::catch_unwind(move || scope.enter(|| panic!("body")));
        assert!(panicked.is_err());
        assert_eq!(patience(0), 0);
    }

    #[test]
    fn reports_count_for_one_part_of_an_attempt() {
        let mut scope = patient(9);
        scope.enter(|| report_open(Duration::from_secs(5)));
        assert_eq!(open_for(&scope), Duration::from_secs(5));
        scope.enter(|| assert!(!is_in_queue()));
        assert_eq!(open_for(&scope), Duration::ZERO);
    }

    #[test]
    fn a_report_outside_of_a_scope_is_lost() {
        report_open(Duration::from_secs(5));
        report_queue();
        assert!(!is_in_queue());
        assert_eq!(super::open_for(), Duration::ZERO);
    }
}
