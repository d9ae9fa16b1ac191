//! The interface for the other crates of this workspace. Not covered by semantic versioning.
//!
//! Generated code uses [`__private`](crate::__private) instead.

pub use crate::__log_event as log_event;
pub use crate::attempt_scope::AttemptScope;
pub use crate::budget::Spending;
pub use crate::circuit_breaker::{
    CircuitDecision, Defined as DefinedBreaker, DetachedGuard, LocalDecision, WatchedGuard,
    shared_breakers, shared_decisions, watched,
};
pub use crate::clock::{Delay, LimitTimer, Sleep, Timestamp, WaitMode, nanos, now, spawn_on_tokio};
pub use crate::context::attempt::{
    NamedAttempt, NestedAttempt, Setter, enter_attempt_of, in_nested_attempt, named_attempt,
};
pub use crate::context::overdue;
pub use crate::duration::{Exact, Rounded};
pub use crate::error_sources::{downcast, error_sources};
pub use crate::fallback::{fell_back, keep_outcome, replaced};
pub use crate::figures::table::{Slot, slot};
pub use crate::function_state::{TestReset, resolve};
pub use crate::keyed::{KeyLabel, KeyState, Keyed, KeyedPolicy};
pub use crate::log::{Level, Shown, Synchronized, sync_lost, sync_restored};
pub use crate::log_event::{Fields, write_field};
pub use crate::lost_attempt::observe_lost_attempts;
pub use crate::maintenance::count_maintenance;
pub use crate::mode::is_counting;
pub use crate::notify::Notified;
pub use crate::random::draw;
pub use crate::rate_limit::{Defined, RateShare, ShareTerms, rate_share_requests, rate_shares};
pub use crate::registry::{
    Policy, PolicyFigures, Record, Site, all_figures, fallback_site, idempotent_site, timed_out,
    timeout_site,
};
pub use crate::rejected::reject;
pub use crate::response::{EFFECT_METADATA, effect_metadata, effect_of_metadata};
pub use crate::retry::RetryState;
pub use crate::span::in_current_span;
pub use crate::status_class::class_of_status;
pub use crate::sync::{Mutex, lock};
pub use crate::timeout::{Timeout, timeout_call};
#[cfg(feature = "unique-id")]
pub use crate::unique_id::unique_id;
#[cfg(feature = "log")]
pub use log;
pub use resilience_rules::duration::parse as parse_duration;
pub use resilience_rules::rate_limit::WHOLE_SHARE;
pub use resilience_rules::settings::keys as setting_keys;
#[cfg(feature = "tracing")]
pub use tracing;
