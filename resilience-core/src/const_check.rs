//! The validation rules as assertions for constants. Generated code calls these functions in
//! constant expressions, so a broken rule is a compile error at the user's token.
//!
//! A function of one setting returns the value. A function of two settings returns nothing.

use core::time::Duration;

use crate::jitter::Jitter;
use resilience_rules::InvalidPolicy;

mod rules {
    pub(super) use resilience_rules::bulkhead::*;
    pub(super) use resilience_rules::circuit_breaker::*;
    pub(super) use resilience_rules::hedge::{after, warm_up};
    pub(super) use resilience_rules::rate_limit::*;
    pub(super) use resilience_rules::retry::*;
}

/// Returns the error of the first broken rule, in a `const fn`, where `?` does not work.
macro_rules! ensure {
    ($($rule:expr),* $(,)?) => { $(if let Err(broken) = $rule { return Err(broken); })* };
}
pub(crate) use ensure;

#[track_caller]
pub(crate) const fn hold(rule: Result<(), InvalidPolicy>) {
    if let Err(broken) = rule {
        panic!("{}", broken.message());
    }
}

/// Asserts the rule of this name.
#[track_caller]
#[must_use]
pub const fn jitter(jitter: Jitter) -> Jitter {
    hold(rules::jitter(jitter.ratio()));
    jitter
}

/// Asserts that the jitter on top of the first delay fits below the ceiling.
#[track_caller]
pub const fn jitter_within_max(base: Duration, jitter: Jitter, max: Duration) {
    hold(rules::jitter_within_max(base, jitter.width(base), max));
}

macro_rules! checks {
    ($($name:ident: $ty:ty),* $(,)?; $($pair:ident: $first:ty, $second:ty);* $(;)?) => {
        $(
            /// Asserts the rule of this name.
            #[track_caller]
            #[must_use]
            pub const fn $name(value: $ty) -> $ty {
                hold(rules::$name(value));
                value
            }
        )*
        $(
            /// Asserts the rule of this name.
            #[track_caller]
            pub const fn $pair(first: $first, second: $second) {
                hold(rules::$pair(first, second));
            }
        )*
    };
}

checks! {
    after: Duration,
    attempts: u32,
    burst: u32,
    deadline: Duration,
    factor: f64,
    failure_rate: f64,
    failure_threshold: u32,
    max: u32,
    open_jitter: f64,
    per: Duration,
    rate: u32,
    recovery: Duration,
    reset_timeout: Duration,
    slow_rate: f64,
    success_threshold: u32,
    warm_up: Duration,
    window: u32,
    window_time: Duration;
    base_within_deadline: Duration, Duration;
    base_within_max: Duration, Duration;
    delay_within_timeout: Duration, Duration;
    initial_within_deadline: Duration, Duration;
    initial_within_timeout: Duration, Duration;
    min_calls_within_window: u32, u32;
    trial_calls_suffice: u32, u32;
    queue_and_wait: u32, Duration;
    reset_within_max: Duration, Duration;
    threshold_within_window: u32, u32;
}
