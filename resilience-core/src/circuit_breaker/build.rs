//! The settings of a breaker, by method.

use core::time::Duration;

use super::change::StateChange;
use super::cursor::Cursor;
use super::machine::Machine;
use super::policy::Settings;
use super::{CLOSED, CircuitBreaker, UNUSED, flags};
use crate::function_state::TestReset;
use crate::sync::{AtomicU64, Mutex, Tally, const_fn};
use resilience_rules::InvalidPolicy;

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*);)*) => {
        /// Settings; each returns the breaker as new.
        #[cfg(not(resilience_loom))]
        impl CircuitBreaker {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(self, $($arg: $ty),*) -> Self {
                    let settings = self.settings.$name($($arg),*);
                    self.under(settings)
                }
            )*
        }
    };
}

settings! {
    /// How many failures in a row open it; with a window, how many among the calls in it. Default: 5,
    /// and none where a [`failure_rate`](Self::failure_rate) is set.
    failure_threshold(failures: u32);

    /// Which share of the calls in the window opens it, above 0 and at most 1, once
    /// [`min_calls`](Self::min_calls) are in it. Without a window of your own it looks back 10 s.
    failure_rate(rate: f64);

    /// Looks back over the last `calls` calls, at most 100 000; the memory, two bits for each, is taken
    /// at the first failure.
    count_window(calls: u32);

    /// Looks back over the last `length`, in ten buckets of which the oldest is dropped at a time.
    time_window(length: Duration);

    /// The number of buckets of a [`time_window`](Self::time_window) that was set before. Default: 10.
    window_buckets(buckets: u32);

    /// How many calls must be in the window before a rate means something. Default: 20, or as many
    /// as the window holds.
    min_calls(calls: u32);

    /// What takes longer than `limit` is slow. Reads the clock at both ends of every call.
    slow_call(limit: Duration);

    /// Which share of slow calls in the window opens it. Default: the failure rate, or half.
    slow_rate(rate: f64);

    /// How long it stays open. Default: 30 s.
    reset_timeout(time: Duration);

    /// Doubles the open time each time that the probes fail, up to `time`. Default: no growth.
    max_reset_timeout(time: Duration);

    /// How many probes must succeed to close it. Default: 1.
    success_threshold(successes: u32);

    /// How many probes are let through to reach that; it opens again as soon as they cannot.
    /// Default: as many as must succeed.
    half_open_calls(calls: u32);

    /// Whether a call that is dropped before it ends counts as a failure, as one that an outer timeout
    /// cuts off does. Default: `false`.
    abandoned_is_failure(fails: bool);

    /// The name in rejections, events and logs. Default: `"circuit breaker"`.
    name(name: &'static str);

    /// Opens and closes with the breakers of this name in other processes, as far as an exchange
    /// carries what they come to: those of `resilience::stores::breaker` do, by way of Redis or
    /// PostgreSQL. Calls know nothing of it. Without an exchange nothing happens, and
    /// openings say so at WARN.
    shared(name: &'static str);

    /// Calls `hook` at each change of state, when no lock is held.
    on_state_change(hook: fn(&StateChange));
}

impl CircuitBreaker {
    /// Opens after five failures in a row, for 30 seconds, and closes after one probe that succeeds.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn new() -> Self {
        Self::made(Settings::new())
    }

    const_fn! {
        pub(super) fn made(settings: Settings) -> Self {
            Self {
                word: AtomicU64::new(CLOSED | flags(&settings, 0)),
                until: AtomicU64::new(0),
                rejected: Tally::new(0),
                cursor: Cursor::new(),
                machine: Mutex::new(Machine::new()),
                settings,
                listed: false,
            }
        }
    }

    #[cfg(not(resilience_loom))]
    const fn under(mut self, settings: Settings) -> Self {
        self.word = AtomicU64::new(CLOSED | flags(&settings, 0));
        self.settings = settings;
        self
    }

    /// The breaker of an annotated function: named after it unless it has a name, and to be listed
    /// when it is first used.
    #[doc(hidden)]
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn at(mut self, name: &'static str) -> Self {
        if self.settings.name.is_none() {
            self.settings.name = Some(name);
        }
        self.word = AtomicU64::new(UNUSED);
        self.listed = true;
        self
    }

    /// The first rule that the settings break: for settings that come from a file. The attribute
    /// holds its constants to the same rules at compile time.
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use resilience::CircuitBreaker;
    ///
    /// assert!(CircuitBreaker::new().failure_rate(0.5).validate().is_ok());
    /// let error = CircuitBreaker::new().failure_rate(50.0).validate().unwrap_err();
    /// assert_eq!(error.to_string(), "`failure_rate` must be a share of the calls, above 0 and at most 1");
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a threshold, rate or time of zero, a rate above 1, a minimum or threshold
    /// that the window cannot hold, a maximum open time below the first, fewer probes than must
    /// succeed.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        self.settings.validate()
    }

    pub(super) fn name_or_default(&self) -> &'static str {
        self.settings.name.unwrap_or("circuit breaker")
    }
}

#[cfg(not(resilience_loom))]
impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl TestReset for CircuitBreaker {
    fn fresh(&self) -> Self {
        Self::made(self.settings)
    }
}

impl AsRef<CircuitBreaker> for CircuitBreaker {
    fn as_ref(&self) -> &CircuitBreaker {
        self
    }
}
