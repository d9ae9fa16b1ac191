//! The rules of a configuration, each said once: for constants at compile time, where breaking one
//! is a compile error, and for policies built at run time, by their `validate`, such as
//! [`RetryPolicy::validate`].
//!
//! The macros check literals by the same rules in the same words.
//!
//! [`RetryPolicy::validate`]: crate::RetryPolicy::validate

use core::fmt;
use core::time::Duration;

use crate::jitter::Jitter;

/// A rule that a policy breaks, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPolicy(&'static str);

impl InvalidPolicy {
    pub(crate) const fn words(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for InvalidPolicy {}

type Rule = Result<(), InvalidPolicy>;

const fn rule(holds: bool, words: &'static str) -> Rule {
    if holds { Ok(()) } else { Err(InvalidPolicy(words)) }
}

pub(crate) const fn attempts(attempts: u32) -> Rule {
    rule(attempts >= 1, "`attempts` counts the first call, so it must be at least 1")
}

pub(crate) const fn factor(factor: f64) -> Rule {
    rule(
        factor >= 1.0 && factor < f64::INFINITY,
        "`factor` must be a finite number of at least 1: delays do not shrink",
    )
}

pub(crate) const fn jitter(jitter: Jitter) -> Rule {
    let ratio = if let Jitter::Ratio(ratio) = jitter { ratio } else { 0.0 };
    rule(ratio >= 0.0 && ratio <= 1.0, "a jitter ratio must be between 0 and 1")
}

pub(crate) const fn delays(delays: &[Duration]) -> Rule {
    rule(!delays.is_empty(), "a list of delays needs at least one")
}

pub(crate) const fn base_within_max(base: Duration, max: Duration) -> Rule {
    rule(
        base.as_nanos() <= max.as_nanos(),
        "`base_delay` is longer than `max_delay`, so no delay would ever grow",
    )
}

pub(crate) const fn deadline(deadline: Duration) -> Rule {
    rule(!deadline.is_zero(), "`deadline` is zero, so no attempt could start")
}

pub(crate) const fn base_within_deadline(base: Duration, deadline: Duration) -> Rule {
    rule(
        base.as_nanos() < deadline.as_nanos(),
        "`base_delay` is not shorter than `deadline`, which leaves no room for a retry",
    )
}

pub(crate) const fn max(max: u32) -> Rule {
    rule(max >= 1, "`max` is zero, so no call could ever run: at least 1")
}

pub(crate) const fn queue_and_wait(queue: u32, wait: Duration) -> Rule {
    if queue == 0 {
        let words = "`queue` is zero, so there is no place for the `wait`";
        return rule(wait.is_zero(), words);
    }
    rule(!wait.is_zero(), "`wait` is zero, so nobody could stay in the `queue`")
}

pub(crate) const fn rate(rate: u32) -> Rule {
    rule(rate >= 1, "`rate` is zero, so no call could ever run: at least 1")
}

pub(crate) const fn per(per: Duration) -> Rule {
    rule(!per.is_zero(), "`per` is zero, and a rate needs a period")
}

pub(crate) const fn burst(burst: u32) -> Rule {
    rule(burst >= 1, "`burst` counts the call that is made, so it must be at least 1")
}
