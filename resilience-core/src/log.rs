//! The events of the policies: each event is written to the log, with one vocabulary of fields, and
//! passed to the hooks of the process.

use core::fmt;
use core::time::Duration;

use crate::circuit_breaker::StateChange;
#[cfg(not(resilience_loom))]
use crate::event::HedgeEvent;
use crate::event::{
    FallbackEvent, GiveUpEvent, PolicyEvent, RecoveryEvent, RetryEvent, StopReason,
};
use crate::log_event::log_event;
use crate::process_hooks;
use crate::registry::{PolicyKind, SourceLocation};
use crate::rejected::Rejected;
use crate::user_text::write_contained;

/// The level of an event with a level of choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The default of a call that gives up.
    Error,
    /// The default of a scheduled retry, and of a call that gives up below a fallback.
    Warn,
    /// The default of a fallback, and of a success after a retry.
    Info,
    /// For events in normal operation.
    Debug,
    /// No event in the log.
    Off,
}

/// The policies that a synchronization task shares between processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronized {
    /// Circuit breakers.
    Breakers,
    /// Rate limits.
    RateLimits,
}

impl fmt::Display for Synchronized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Breakers => "circuit breakers",
            Self::RateLimits => "rate limits",
        })
    }
}

/// The text of an error, by `Display` or `Debug`.
#[derive(Clone, Copy)]
pub enum Shown<'e> {
    /// The error has `Display`.
    Display(&'e dyn fmt::Display),
    /// The error has `Debug` only.
    Debug(&'e dyn fmt::Debug),
    /// The error is a response of `axum`.
    #[cfg(feature = "axum")]
    Status(http::StatusCode),
    /// The error has neither, or there is no error.
    Nothing,
}

impl Shown<'_> {
    /// Returns the text; `None` without an error or without a text.
    #[must_use]
    pub fn text(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            shown => Some(shown.to_string()),
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Display(error) => write_contained(f, |f| error.fmt(f)),
            Self::Debug(error) => write_contained(f, |f| error.fmt(f)),
            #[cfg(feature = "axum")]
            Self::Status(status) => status.fmt(f),
            Self::Nothing => Ok(()),
        }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Emits an event with a level that is known at run time.
macro_rules! log_event_at {
    ($level:expr, $message:expr, $fields:tt) => {
        match $level {
            Level::Error => log_event!(ERROR, $message, $fields),
            Level::Warn => log_event!(WARN, $message, $fields),
            Level::Info => log_event!(INFO, $message, $fields),
            Level::Debug => log_event!(DEBUG, $message, $fields),
            Level::Off => {}
        }
    };
}

/// Reports a scheduled retry.
pub(crate) fn retry(event: &RetryEvent<'_, ()>, level: Level, error: Shown<'_>) {
    log_event_at!(level, "retrying", {
        function: value = event.name,
        attempt: value = event.attempt,
        max_attempts: option = event.attempts,
        error: text = error,
        kind: debug = event.class.kind,
        effect: debug = event.class.effect,
        elapsed_ms: value = millis(event.elapsed),
        delay_ms: value = millis(event.delay),
        delay_source: text = event.delay_source,
        location: text = event.location,
    });
    if process_hooks::are_set() {
        let text = error.text();
        process_hooks::deliver(&PolicyEvent::Retry(event.with_error(text.as_deref())));
    }
}

/// Reports a call that ends in failure. In the log, a permanent failure of the first attempt is at
/// DEBUG: nothing was given up. A rejection of the first attempt is at DEBUG too: an open circuit
/// rejects thousands of calls.
pub(crate) fn give_up(event: &GiveUpEvent<'_, ()>, level: Level, error: Shown<'_>) {
    let is_first = match event.reason {
        StopReason::Permanent => event.attempt == 1,
        StopReason::Rejected => event.attempt == 0,
        _ => false,
    };
    let (level, message) = match level {
        Level::Off => (Level::Off, ""),
        _ if is_first => (Level::Debug, "not retried"),
        level => (level, "giving up"),
    };
    log_event_at!(level, format_args!("{message}: {}", event.reason), {
        function: value = event.name,
        attempt: value = event.attempt,
        max_attempts: option = event.attempts,
        error: text = error,
        kind: debug = event.class.kind,
        effect: debug = event.class.effect,
        elapsed_ms: value = millis(event.elapsed),
        stop_reason: value = event.reason.as_str(),
        location: text = event.location,
    });
    if process_hooks::are_set() {
        let text = error.text();
        process_hooks::deliver(&PolicyEvent::GiveUp(event.with_error(text.as_deref())));
    }
}

/// Reports a success after a retry.
pub(crate) fn recovered(event: RecoveryEvent, level: Level) {
    log_event_at!(level, "succeeded after a retry", {
        function: value = event.name,
        attempt: value = event.attempt,
        max_attempts: option = event.attempts,
        elapsed_ms: value = millis(event.elapsed),
        location: text = event.location,
    });
    process_hooks::deliver(&PolicyEvent::Recovery(event));
}

/// Warns that the attempts of two retries multiply.
pub(crate) fn nested_retry(outer: &str, inner: &str) {
    let message = "a retry inside a retry multiplies the attempts; set `nested = \"outer_only\"` on \
                   the outer function, or remove one of the retries";
    log_event!(WARN, message, {
        function: value = inner,
        outer: value = outer,
    });
}

/// Reports a replaced failure.
pub(crate) fn fallback(event: &FallbackEvent<'_, ()>, level: Level, error: Shown<'_>) {
    log_event_at!(level, "fallback used", {
        function: value = event.name,
        error: text = error,
        kind: debug = event.class.kind,
        effect: debug = event.class.effect,
        reason: value = event.reason.as_str(),
        age_ms: option = event.age.map(millis),
        location: text = event.location,
    });
    if process_hooks::are_set() {
        let text = error.text();
        process_hooks::deliver(&PolicyEvent::Fallback(event.with_error(text.as_deref())));
    }
}

/// Reports a rejected call. At DEBUG: an open circuit rejects thousands of calls, and the opening
/// has been logged.
pub(crate) fn rejected(rejected: &Rejected) {
    log_event!(DEBUG, format_args!("call rejected: {}", rejected.kind()), {
        function: value = rejected.name(),
        kind: value = rejected.kind().label(),
        key: option = rejected.key(),
        retry_after_ms: option = rejected.retry_after().map(millis),
        elapsed_ms: option = rejected.limit().map(millis),
    });
    process_hooks::deliver(&PolicyEvent::Rejection(rejected));
}

/// Returns whether [`rejected`] may have a reader beside the hooks. `tracing` decides for each
/// event, and may pass the event to `log`.
#[inline]
pub(crate) fn may_log_rejections() -> bool {
    #[cfg(all(feature = "log", not(feature = "tracing")))]
    let may_log = ::log::max_level() >= ::log::Level::Debug;
    #[cfg(not(all(feature = "log", not(feature = "tracing"))))]
    let may_log = cfg!(feature = "tracing");
    may_log
}

/// Returns whether an event of a retry may have a reader beside the hooks of the function.
/// `tracing` decides for each event, and may pass the event to `log`.
#[inline]
pub(crate) fn has_reader() -> bool {
    #[cfg(all(feature = "log", not(feature = "tracing")))]
    let may_log = ::log::max_level() > ::log::LevelFilter::Off;
    #[cfg(not(all(feature = "log", not(feature = "tracing"))))]
    let may_log = cfg!(feature = "tracing");
    may_log || process_hooks::are_set()
}

/// Returns whether [`rejected`] may have a reader.
#[inline]
pub(crate) fn may_report_rejections() -> bool {
    may_log_rejections() || process_hooks::are_set()
}

/// Reports a call that runs although the policy would reject the call outside shadow mode.
pub(crate) fn shadow_rejection(rejected: &Rejected) {
    log_event!(DEBUG, "call would be rejected; the policy is in shadow mode", {
        function: value = rejected.name(),
        kind: value = rejected.kind().label(),
        key: option = rejected.key(),
        retry_after_ms: option = rejected.retry_after().map(millis),
    });
    process_hooks::deliver(&PolicyEvent::ShadowRejection(rejected));
}

/// Logs a change of a breaker's state.
pub(crate) fn state_change(change: &StateChange) {
    log_event!(WARN, "circuit state changed", {
        function: value = change.name,
        key: option = change.key.as_deref(),
        from: text = change.from,
        to: text = change.to,
        reason: text = change.reason,
        open_for_ms: option = change.open_for.map(millis),
        // Only if true: most breakers act.
        shadow: option = change.shadow.then_some(true),
        cause: option = change.cause.as_deref(),
        location: text = change.location,
    });
}

/// Passes a change of a breaker's state to the hooks of the process.
pub(crate) fn deliver_state_change(change: &StateChange) {
    process_hooks::deliver(&PolicyEvent::StateChange(change));
}

/// Warns that `max_open` keeps a breaker closed.
pub(crate) fn held_closed(name: &str, open: u32, keys: u32, max_open: f64) {
    let message = "circuits of further keys stay closed: too many keys fail at once, so the \
                   failure is probably in this process or its network";
    log_event!(WARN, message, {
        function: value = name,
        open: value = open,
        keys: value = keys,
        max_open: value = max_open,
    });
}

/// Warns of a rate that does not apply, because the calls are too few.
pub(crate) fn low_traffic(name: &str, key: Option<&str>, calls: u32, min_calls: u32) {
    let message = "`failure_rate` is reached, but the window holds fewer calls than `min_calls`, \
                   so the circuit stays closed; lower `min_calls`, lengthen `window`, or set \
                   `failure_threshold`";
    log_event!(WARN, message, {
        function: value = name,
        key: option = key,
        calls: value = calls,
        min_calls: value = min_calls,
    });
}

/// Warns that two policies of a kind have one name.
pub(crate) fn shared_name(
    name: &str,
    kind: PolicyKind,
    location: SourceLocation,
    other: SourceLocation,
) {
    let message = "two policies have one name, so their events and figures cannot be told apart; \
                   give one of them a `name`";
    log_event!(WARN, message, {
        function: value = name,
        policy: value = kind.as_str(),
        location: text = location,
        other_location: text = other,
    });
}

/// Logs a change of settings or of a state by name.
pub(crate) fn settings_changed(by: &str, target: &str, change: &str, reached: usize) {
    log_event!(INFO, "policies changed by name", {
        by: value = by,
        target: value = target,
        change: value = change,
        reached: value = reached,
    });
}

/// Reports settings whose names match no listed policy.
pub(crate) fn settings_unmatched(by: &str, names: &[String], level: Level) {
    log_event_at!(level, "settings for names without a policy yet", {
        by: value = by,
        names: debug = names,
    });
}

/// Reports the start of a hedge.
#[cfg(not(resilience_loom))]
pub(crate) fn hedged(event: &HedgeEvent) {
    log_event!(DEBUG, "hedge started", {
        function: value = event.name,
        hedge: value = event.hedge,
        cause: value = event.cause.as_str(),
    });
    if process_hooks::are_set() {
        process_hooks::deliver(&PolicyEvent::Hedge(*event));
    }
}

/// Logs a panic in a hook.
pub(crate) fn hook_panicked(name: &str, hook: &str) {
    log_event!(ERROR, "panic in a hook", { function: value = name, hook: value = hook });
}

/// Warns that no synchronization publishes the decisions of a shared breaker.
pub(crate) fn unsynchronized(name: &str) {
    let message = "shared circuit breaker without synchronization; \
                   spawn `BreakerSync::new(state).run()` in this process";
    log_event!(WARN, message, { function: value = name });
}

/// Warns that no synchronization divides a shared rate between the processes.
pub(crate) fn rate_unsynchronized(name: &str) {
    let message = "shared rate limit without synchronization, so this process uses the whole \
                   rate; spawn `RateLimitSync::new(leases).run()` in this process";
    log_event!(WARN, message, { function: value = name });
}

/// Logs that a synchronization has stopped, and the cause.
pub fn sync_lost(what: Synchronized, error: &dyn fmt::Display) {
    log_event!(WARN, format_args!("synchronization of {what} lost"), { error: text = error });
}

/// Logs that a synchronization works again.
pub fn sync_restored(what: Synchronized) {
    log_event!(INFO, format_args!("synchronization of {what} restored"), {});
}

/// Warns that a table of keys is full, and no entry can be evicted.
pub(crate) fn key_table_full(name: &str, policy: &str, max_keys: u32) {
    log_event!(WARN, "key table full; new keys share one state, raise `max_keys`", {
        function: value = name,
        policy: value = policy,
        max_keys: value = max_keys,
    });
}

/// Returns a time for the log, rounded to milliseconds: a time left of an interval is shorter than
/// the interval by the time that the code took.
fn millis(time: Duration) -> u64 {
    let rounded = time.saturating_add(Duration::from_micros(500));
    u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX)
}
