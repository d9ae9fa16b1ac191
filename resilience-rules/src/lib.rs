//! The rules of a configuration, each said once: for constants at compile time, where breaking one
//! is a compile error, and for policies built at run time, by their `validate`, such as
//! `RetryPolicy::validate`.
//!
//! The macros check literals by the same rules in the same words.

mod idempotency;

use core::fmt;
use core::time::Duration;

pub use idempotency::{KeyError, MAX_IDEMPOTENCY_KEY_LENGTH, idempotency_key};

/// A rule that a policy breaks, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPolicy(&'static str);

impl InvalidPolicy {
    /// The broken rule as a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for InvalidPolicy {}

/// The verdict of a rule.
pub type Rule = Result<(), InvalidPolicy>;

const fn rule(holds: bool, words: &'static str) -> Rule {
    if holds { Ok(()) } else { Err(InvalidPolicy(words)) }
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn attempts(attempts: u32) -> Rule {
    rule(attempts >= 1, "`attempts` counts the first call, so it must be at least 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn factor(factor: f64) -> Rule {
    rule(
        factor >= 1.0 && factor < f64::INFINITY,
        "`factor` must be a finite number of at least 1: delays do not shrink",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn jitter(ratio: f64) -> Rule {
    rule(ratio >= 0.0 && ratio <= 1.0, "a jitter ratio must be between 0 and 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn delays(delays: &[Duration]) -> Rule {
    rule(!delays.is_empty(), "a list of delays needs at least one")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn base_within_max(base: Duration, max: Duration) -> Rule {
    rule(
        base.as_nanos() <= max.as_nanos(),
        "`base_delay` is longer than `max_delay`, so no delay would ever grow",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn deadline(deadline: Duration) -> Rule {
    rule(!deadline.is_zero(), "`deadline` is zero, so no attempt could start")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn base_within_deadline(base: Duration, deadline: Duration) -> Rule {
    rule(
        base.as_nanos() < deadline.as_nanos(),
        "`base_delay` is not shorter than `deadline`, which leaves no room for a retry",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn failure_threshold(failures: u32) -> Rule {
    rule(
        failures >= 1,
        "`failure_threshold` must be at least 1, or it would be open from the start",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn threshold_within_window(failures: u32, window: u32) -> Rule {
    rule(
        failures <= window,
        "`failure_threshold` is more than `window` holds, so the circuit would never open",
    )
}

const fn is_share(rate: f64) -> bool {
    rate > 0.0 && rate <= 1.0
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn failure_rate(rate: f64) -> Rule {
    rule(is_share(rate), "`failure_rate` is a share of the calls, above 0 and at most 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn slow_rate(rate: f64) -> Rule {
    rule(is_share(rate), "`slow_rate` is a share of the calls, above 0 and at most 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn min_calls_within_window(calls: u32, window: u32) -> Rule {
    rule(calls <= window, "`min_calls` is more than `window` holds, so no rate would ever count")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn window(calls: u32) -> Rule {
    rule(
        calls >= 1 && calls <= 100_000,
        "`window` is a number of calls from 1 to 100000; for more write a time, like `\"10s\"`",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn window_time(length: Duration) -> Rule {
    rule(!length.is_zero(), "`window` is zero, so no call would ever be in it")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn reset_timeout(time: Duration) -> Rule {
    rule(!time.is_zero(), "`reset_timeout` is zero, so the circuit would never be open")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn reset_within_max(first: Duration, max: Duration) -> Rule {
    rule(
        first.as_nanos() <= max.as_nanos(),
        "`reset_timeout` is longer than `max_reset_timeout`, so the open time could not grow",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn success_threshold(successes: u32) -> Rule {
    rule(
        successes >= 1,
        "`success_threshold` must be at least 1: something has to close the circuit",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn probes_suffice(successes: u32, calls: u32) -> Rule {
    rule(
        calls >= successes,
        "`half_open_calls` is less than `success_threshold`, so the circuit could never close",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn max(max: u32) -> Rule {
    rule(max >= 1, "`max` is zero, so no call could ever run: at least 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn queue_and_wait(queue: u32, wait: Duration) -> Rule {
    if queue == 0 {
        let words = "`queue` is zero, so there is no place for the `wait`";
        return rule(wait.is_zero(), words);
    }
    rule(!wait.is_zero(), "`wait` is zero, so nobody could stay in the `queue`")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn rate(rate: u32) -> Rule {
    rule(rate >= 1, "`rate` is zero, so no call could ever run: at least 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn per(per: Duration) -> Rule {
    rule(!per.is_zero(), "`per` is zero, and a rate needs a period")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn burst(burst: u32) -> Rule {
    rule(burst >= 1, "`burst` counts the call that is made, so it must be at least 1")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn store_timeout(time: Duration) -> Rule {
    rule(!time.is_zero(), "`store_timeout` is zero, so the store could never answer")
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn lease_within_ttl(lease: Duration, ttl: Duration) -> Rule {
    if ttl.is_zero() {
        return rule(false, "`ttl` is zero, so nothing would be remembered");
    }
    if lease.is_zero() {
        return rule(false, "`lease` is zero, so every call would count as dead");
    }
    rule(
        lease.as_nanos() < ttl.as_nanos(),
        "`lease` is not shorter than `ttl`, so a running call could be forgotten",
    )
}

/// The rule of this name.
///
/// # Errors
/// [`InvalidPolicy`] where the rule is broken.
pub const fn lease_within_max_renewal(lease: Duration, max_renewal: Duration) -> Rule {
    rule(
        lease.as_nanos() <= max_renewal.as_nanos(),
        "`max_renewal` is shorter than `lease`; raise `max_renewal` or lower `lease`",
    )
}
