//! The interface for generated code. Not covered by semantic versioning.
//!
//! The other crates of this workspace use [`__internal`](crate::__internal) instead.

pub use core::option::Option::{None, Some};
pub use core::pin::pin;
pub use core::result::Result::{Err, Ok};
pub use core::time::Duration;

pub use crate::__count_success as count_success;
pub use crate::__handler_outcome as handler_outcome;
pub use crate::__known_class as known_class;
pub use crate::__report_success as report_success;
pub use crate::__shown as shown;
pub use crate::backoff::{BorrowBackoff, BorrowedBackoff};
pub use crate::budget::{RetryBudget, Spending};
pub use crate::bulkhead::Bulkhead;
pub use crate::circuit_breaker::{
    Body, CircuitBreaker, CircuitGuard, OnCancel, Trial, WatchedGuard, Window, watched,
    watched_trial,
};
pub use crate::classify::{
    FailureClass, RetryDelay, class_of, class_with_effect, class_with_effect_of, failed_value,
    forwarded, with_delay,
};
pub use crate::clock::{Delay, WaitMode};
pub use crate::coalesce::{Coalescer, coalesce, coalesce_blocking};
pub use crate::context::attempt::{
    Setter, enter_attempt_of, in_attempt, in_nested_attempt, named_attempt, plain_attempt,
    scoped_attempt,
};
pub use crate::context::current::UNBOUNDED;
pub use crate::context::nesting::Nested;
pub use crate::expansion::{
    Handle, clone_handle, exhausted, failed, fallback_hook, give_error, give_up_hook, keep_value,
    match_all, never_retry, no_fallback_hook, no_give_up_hook, no_hedge_hook, no_retry_hook, once,
    policy_of, resilience_never, retry_hook,
};
pub use crate::fallback::{
    Answer, Ready, answer, fall_back, fell_back, keep_outcome, recovered, replaced,
};
pub use crate::function_state::{resolve, resolve_policy};
#[cfg(feature = "axum")]
pub use crate::handler_response::{HandlerResponse, handler_response};
#[cfg(not(resilience_loom))]
pub use crate::hedge::{Hedge, HedgeSlot, Latencies, hedge};
pub use crate::jitter::Jitter;
pub use crate::key_hash::KeyHash;
pub use crate::keyed::{KeyGroup, KeyLabel, KeyState, Keyed, KeyedPolicy, adjust, keyed_state};
pub use crate::last_failure::LastFailure;
#[cfg(not(resilience_loom))]
pub use crate::last_good::keeping_call;
pub use crate::last_good::{KeepingCall, LastGood, unaged};
pub use crate::log::{Level, Shown};
pub use crate::mode::is_counting;
pub use crate::outcome::Outcome;
pub use crate::probe::{
    ClassOfParameter, Classified, ClassifiedBySource, ClassifiedInGuard, Parameter, Probe,
    ShownAsResponse, ShownByDebug, ShownByNothing, Unclassified, UnclassifiedAny, class_probe,
};
pub use crate::rate_limit::{
    RateLimiter, keyed_take, refund_in_queue, refund_rejected, settle_call,
};
pub use crate::registry::{Site, TimedFunction, fallback_site, timed_function, timed_out};
pub use crate::rejected::{FromRejected, Rejected, reject, reject_with};
pub use crate::rejection_signal::RejectionSignal;
pub use crate::retry::{CallContext, RetryPolicy, RetryState, counted};
pub use crate::stale_age::{stale_age, stale_age_async};
pub use crate::timed_call::{CallResult, EndsAsOutcome, EndsAsValue, TimedCall, function_site};
pub use crate::timeout::{Timeout, timeout, timeout_after_queue};

/// Without the feature `axum`, the result of a handler stays as it is.
#[cfg(not(feature = "axum"))]
pub use core::convert::identity as handler_response;

/// The validation rules, asserted.
pub mod check {
    pub use crate::const_check::*;
}
