//! The duration of a call of an annotated function. Generated code measures calls with the feature
//! `duration-histograms` only.

use core::panic::Location;

use crate::clock::{self, Timestamp};
use crate::figures::durations::Ended;
use crate::mode;
use crate::outcome::Outcome;
use crate::registry::{PolicyKind, Site};

/// Returns the identity of an annotated function as a whole.
#[track_caller]
#[must_use]
pub const fn function_site(name: &'static str) -> Site {
    Site::new(PolicyKind::Function, name, Location::caller(), 0)
}

/// A running call. A call that is dropped counts as cancelled, or by a panic as a failure.
#[derive(Debug)]
#[must_use]
pub struct TimedCall {
    site: &'static Site,
    /// `None` while nobody reads the figures.
    started: Option<Timestamp>,
}

impl TimedCall {
    /// Starts a call.
    #[inline]
    pub fn start(site: &'static Site) -> Self {
        Self { site, started: mode::is_counting().then(clock::now) }
    }

    /// Ends the call.
    #[inline]
    pub fn end(mut self, is_success: bool) {
        self.count(if is_success { Ended::Success } else { Ended::Failure });
    }

    fn count(&mut self, end: Ended) {
        if let Some(started) = self.started.take() {
            self.site.record().add_duration(end, clock::now().since(started));
        }
    }
}

/// The result of a call, which is a failure only for an [`Outcome`].
#[derive(Debug)]
pub struct CallResult<'o, O>(pub &'o O);

/// The end of a call with an outcome.
pub trait EndsAsOutcome {
    /// Returns whether the outcome is a success.
    fn resilience_is_success(&self) -> bool;
}

impl<O: Outcome> EndsAsOutcome for CallResult<'_, O> {
    fn resilience_is_success(&self) -> bool {
        self.0.is_ok()
    }
}

/// The end of a call with a value of another type. Method resolution prefers [`EndsAsOutcome`],
/// which needs one reference less.
pub trait EndsAsValue {
    /// Returns `true`.
    fn resilience_is_success(&self) -> bool {
        true
    }
}

impl<O> EndsAsValue for &CallResult<'_, O> {}

impl Drop for TimedCall {
    fn drop(&mut self) {
        let end = if std::thread::panicking() { Ended::Failure } else { Ended::Cancelled };
        self.count(end);
    }
}
