//! The runtime that the attributes of `resilience-rs` expand to.
//!
//! Depend on `resilience-rs`, which re-exports these types next to the attributes. This crate has
//! no macros: every policy works without the attributes.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    resilience_loom,
    allow(
        dead_code,
        unused_imports,
        reason = "constructors for constants are left out under loom"
    )
)]

mod attempt_scope;
mod backoff;
mod budget;
mod bulkhead;
mod circuit_breaker;
mod classify;
mod clock;
mod coalesce;
mod const_check;
pub mod context;
mod duration;
mod error_sources;
mod event;
mod expansion;
mod failure_text;
mod fallback;
mod figures;
mod function_state;
mod guarded;
#[cfg(feature = "axum")]
mod handler_response;
#[cfg(not(resilience_loom))]
mod hedge;
mod jitter;
mod key_hash;
mod keyed;
mod last_failure;
mod last_good;
mod limiter;
mod log;
mod log_event;
mod lost_attempt;
mod maintenance;
mod mode;
mod name;
mod notify;
mod outcome;
mod park;
mod probe;
mod process_hooks;
mod random;
mod rate_limit;
mod recent_map;
mod registry;
mod rejected;
mod rejection_signal;
mod response;
mod retry;
mod settings;
mod span;
mod stale_age;
mod status_class;
mod switch;
mod sync;
mod test_overrides;
pub mod testing;
mod timed_call;
mod timeout;
#[cfg(feature = "unique-id")]
mod unique_id;
mod user_text;
mod waiters;

#[doc(hidden)]
pub mod __internal;
#[doc(hidden)]
pub mod __private;

pub use backoff::{Backoff, Schedule};
pub use budget::RetryBudget;
pub use bulkhead::{Bulkhead, BulkheadAcquire, BulkheadPermit, OwnedBulkheadPermit};
pub use circuit_breaker::{
    ChangeReason, CircuitBreaker, CircuitCall, CircuitGuard, CircuitSnapshot, CircuitState,
    KeyCircuitBreaker, OnCancel, StateChange, UnknownCircuitState, WindowSlice, circuit_breaker,
};
pub use classify::{Classify, Effect, FailureClass, FailureKind};
pub use coalesce::Coalescer;
pub use context::nesting::Nested;
pub use event::{
    DelaySource, FallbackEvent, FallbackReason, GiveUpEvent, HedgeCause, HedgeEvent, PolicyEvent,
    RecoveryEvent, RetryEvent, StopReason,
};
pub use figures::{Figure, FigureInfo, FigureKind, FigureValue, Histogram, Labels};
pub use guarded::Guarded;
#[cfg(not(resilience_loom))]
pub use hedge::{HedgePolicy, Hedged};
pub use jitter::Jitter;
pub use keyed::{KeyTableSnapshot, Keyed, key_tables};
pub use outcome::Outcome;
pub use process_hooks::on_event;
pub use rate_limit::{
    KeyRateLimiter, OwnedRateLimitPermit, RateLimitAcquire, RateLimiter, Reservation,
};
pub use registry::{
    CircuitChanges, DegradedPolicy, Explanation, Health, KeyReport, KeysReport, LayerExplanation,
    PolicyHandle, PolicyKind, PolicyReport, Setting, SettingOrigin, SourceLocation, TOP_KEYS,
    circuit_changes, circuit_closed, count_successes, explain, health, policies, policies_matching,
    policy_key, register, set_health_threshold,
};
pub use rejected::{FromRejected, IdempotencyRejection, Rejected, RejectedKind};
pub use resilience_rules::InvalidPolicy;
pub use retry::{Attempt, Retry, RetryPolicy};
pub use settings::{
    Action, Control, Controlled, LoadedSettings, PendingSetting, SettingsChange, SettingsError,
    SettingsProblem, control, load_environment, load_environment_from, pending_settings,
    settings_history,
};
#[cfg(feature = "settings")]
pub use settings::{load_settings, load_settings_json, load_settings_toml};
pub use stale_age::{StaleAge, stale_age, stale_age_async};
pub use switch::{is_enabled, set_enabled};
