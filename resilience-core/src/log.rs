//! Log events for `tracing`, with one vocabulary of fields. Without the feature `tracing`, the
//! functions do nothing.

use core::fmt;
use core::time::Duration;

use crate::event::{GiveUpEvent, RetryEvent};

/// The level of a scheduled retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The default.
    Warn,
    /// For failures in normal operation.
    Info,
    /// For loops with frequent failures.
    Debug,
}

/// The policies that a synchronization task shares between processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronized {
    /// Circuit breakers.
    Breakers,
    /// Rate limits.
    RateLimits,
}

/// A change of a breaker's state.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only the log reads the fields"))]
#[derive(Clone, Copy)]
pub(crate) struct CircuitChange<'c> {
    pub(crate) name: &'static str,
    pub(crate) key: Option<&'c str>,
    pub(crate) from: &'c dyn fmt::Display,
    pub(crate) to: &'c dyn fmt::Display,
    pub(crate) reason: &'c dyn fmt::Display,
    pub(crate) open_for: Option<Duration>,
    pub(crate) shadow: bool,
    pub(crate) cause: Option<&'c str>,
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
            Self::Display(error) => error.fmt(f),
            Self::Debug(error) => error.fmt(f),
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

/// Logs a scheduled retry, then calls the hook.
pub fn retry<E>(
    event: &RetryEvent<'_, E>,
    level: Level,
    error: Shown<'_>,
    hook: impl FnOnce(&RetryEvent<'_, E>),
) {
    log_retry(&event.anonymous(), level, error);
    hook(event);
}

/// Logs a failed call, then calls the hook.
pub fn give_up<E>(
    event: &GiveUpEvent<'_, E>,
    error: Shown<'_>,
    hook: impl FnOnce(&GiveUpEvent<'_, E>),
) {
    log_give_up(&event.anonymous(), error);
    hook(event);
}

/// Wraps the hook of a call by hand so that the event is logged first. The text of the error is
/// unknown there.
pub(crate) fn retries<E>(hook: impl FnOnce(&RetryEvent<'_, E>)) -> impl FnOnce(&RetryEvent<'_, E>) {
    |event| retry(event, Level::Warn, Shown::Nothing, hook)
}

/// Wraps the `on_give_up` hook of a call by hand so that the event is logged first.
pub(crate) fn give_ups<E>(
    hook: impl FnOnce(&GiveUpEvent<'_, E>),
) -> impl FnOnce(&GiveUpEvent<'_, E>) {
    |event| give_up(event, Shown::Nothing, hook)
}

pub(crate) use self::emit::{
    fallback_used, held_closed, hook_panicked, key_table_full, log_give_up, log_retry, low_traffic,
    rate_unsynchronized, rejected, shadow_rejection, state_change, unsynchronized,
};
pub use self::emit::{sync_lost, sync_restored};

#[cfg(feature = "tracing")]
mod emit {
    use core::fmt;
    use core::time::Duration;

    use super::{CircuitChange, Level, Shown, Synchronized};
    use crate::event::{GiveUpEvent, RetryEvent, StopReason};
    use crate::rejected::Rejected;

    /// Logs a change of a breaker's state.
    pub(crate) fn state_change(change: &CircuitChange<'_>) {
        let CircuitChange { name, key, from, to, reason, open_for, shadow, cause } = *change;
        tracing::warn!(
            target: "resilience",
            function = name,
            key,
            %from,
            %to,
            %reason,
            open_for_ms = open_for.map(millis),
            // Only if true: most breakers act.
            shadow = shadow.then_some(true),
            cause,
            "circuit state changed"
        );
    }

    /// Warns that `max_open` keeps a breaker closed.
    pub(crate) fn held_closed(name: &str, open: u32, keys: u32, max_open: f64) {
        tracing::warn!(
            target: "resilience",
            function = name,
            open,
            keys,
            max_open,
            "circuits of further keys stay closed: too many keys fail at once, so the failure is \
             probably in this process or its network"
        );
    }

    /// Warns of a rate that never applies.
    pub(crate) fn low_traffic(name: &str, calls: u32, min_calls: u32) {
        tracing::warn!(
            target: "resilience",
            function = name,
            calls,
            min_calls,
            "`failure_rate` is reached, but the window holds fewer calls than `min_calls`, so the \
             circuit stays closed; lower `min_calls`, lengthen `window`, or set `failure_threshold`"
        );
    }

    /// Logs a panic in a hook.
    pub(crate) fn hook_panicked(name: &str, hook: &str) {
        tracing::error!(target: "resilience", function = name, hook, "panic in a hook");
    }

    /// Warns that no synchronization publishes the decisions of a shared breaker.
    pub(crate) fn unsynchronized(name: &str) {
        tracing::warn!(
            target: "resilience",
            function = name,
            "shared circuit breaker without synchronization; \
             spawn `BreakerSync::new(state).run()` in this process"
        );
    }

    /// Warns that no synchronization divides a shared rate between the processes.
    pub(crate) fn rate_unsynchronized(name: &str) {
        tracing::warn!(
            target: "resilience",
            function = name,
            "shared rate limit without synchronization, so this process uses the whole rate; \
             spawn `RateLimitSync::new(leases).run()` in this process"
        );
    }

    /// Logs that a synchronization has stopped, and the cause.
    pub fn sync_lost(what: Synchronized, error: &dyn fmt::Display) {
        match what {
            Synchronized::Breakers => {
                tracing::warn!(target: "resilience", %error, "synchronization of circuit breakers lost");
            }
            Synchronized::RateLimits => {
                tracing::warn!(target: "resilience", %error, "synchronization of rate limits lost");
            }
        }
    }

    /// Logs that a synchronization works again.
    pub fn sync_restored(what: Synchronized) {
        match what {
            Synchronized::Breakers => {
                tracing::info!(target: "resilience", "synchronization of circuit breakers restored");
            }
            Synchronized::RateLimits => {
                tracing::info!(target: "resilience", "synchronization of rate limits restored");
            }
        }
    }

    /// Warns that a table of keys is full, and no entry can be evicted.
    pub(crate) fn key_table_full(name: &str, policy: &str, max_keys: u32) {
        tracing::warn!(
            target: "resilience",
            function = name,
            policy,
            max_keys,
            "key table full; new keys share one state, raise `max_keys`"
        );
    }

    /// Logs that a fallback replaced a failure.
    pub(crate) fn fallback_used(name: &str) {
        tracing::info!(target: "resilience", function = name, "fallback used");
    }

    /// Logs a rejected call. At DEBUG: an open circuit rejects thousands of calls, and the opening
    /// has been logged.
    pub(crate) fn rejected(rejected: &Rejected) {
        tracing::debug!(
            target: "resilience",
            function = rejected.name(),
            kind = %rejected.kind(),
            key = rejected.key(),
            retry_after_ms = rejected.retry_after().map(millis),
            elapsed_ms = rejected.limit().map(millis),
            "call rejected"
        );
    }

    /// Logs a call that runs although the policy would reject the call outside shadow mode.
    pub(crate) fn shadow_rejection(rejected: &Rejected) {
        tracing::debug!(
            target: "resilience",
            function = rejected.name(),
            kind = %rejected.kind(),
            key = rejected.key(),
            retry_after_ms = rejected.retry_after().map(millis),
            "call would be rejected; the policy is in shadow mode"
        );
    }

    macro_rules! log_event {
        ($level:ident, $event:ident, $error:ident, $($rest:tt)*) => {
            tracing::event!(
                target: "resilience",
                tracing::Level::$level,
                function = $event.name,
                attempt = $event.attempt,
                max_attempts = $event.attempts,
                error = %$error,
                kind = ?$event.class.kind,
                effect = ?$event.class.effect,
                elapsed_ms = millis($event.elapsed),
                $($rest)*
            )
        };
    }

    /// Logs a scheduled retry.
    pub(crate) fn log_retry(event: &RetryEvent<'_, ()>, level: Level, error: Shown<'_>) {
        macro_rules! at {
            ($level:ident) => {
                log_event!(
                    $level,
                    event,
                    error,
                    delay_ms = millis(event.delay),
                    delay_source = %event.delay_source,
                    "retrying"
                )
            };
        }
        match level {
            Level::Warn => at!(WARN),
            Level::Info => at!(INFO),
            Level::Debug => at!(DEBUG),
        }
    }

    /// Logs a failed call. A permanent failure of the first attempt is logged at DEBUG: nothing was
    /// given up. A rejection of the first attempt is logged at DEBUG too: an open circuit rejects
    /// thousands of calls.
    pub(crate) fn log_give_up(event: &GiveUpEvent<'_, ()>, error: Shown<'_>) {
        let is_final = match event.reason {
            StopReason::Permanent => event.attempt == 1,
            StopReason::Rejected => event.attempt == 0,
            _ => false,
        };
        if is_final {
            log_event!(DEBUG, event, error, stop_reason = %event.reason, "not retried");
        } else {
            log_event!(ERROR, event, error, stop_reason = %event.reason, "giving up");
        }
    }

    fn millis(time: Duration) -> u64 {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(not(feature = "tracing"))]
mod emit {
    use core::fmt;

    use super::{CircuitChange, Level, Shown, Synchronized};
    use crate::event::{GiveUpEvent, RetryEvent};
    use crate::rejected::Rejected;

    pub(crate) fn state_change(_: &CircuitChange<'_>) {}

    pub(crate) fn held_closed(_: &str, _: u32, _: u32, _: f64) {}

    pub(crate) fn low_traffic(_: &str, _: u32, _: u32) {}

    pub(crate) fn hook_panicked(_: &str, _: &str) {}

    pub(crate) fn unsynchronized(_: &str) {}

    pub(crate) fn rate_unsynchronized(_: &str) {}

    /// Does nothing without the feature `tracing`.
    pub fn sync_lost(_: Synchronized, _: &dyn fmt::Display) {}

    /// Does nothing without the feature `tracing`.
    pub fn sync_restored(_: Synchronized) {}

    pub(crate) fn key_table_full(_: &str, _: &str, _: u32) {}

    pub(crate) fn fallback_used(_: &str) {}

    pub(crate) fn rejected(_: &Rejected) {}

    pub(crate) fn shadow_rejection(_: &Rejected) {}

    pub(crate) fn log_retry(_: &RetryEvent<'_, ()>, _: Level, _: Shown<'_>) {}

    pub(crate) fn log_give_up(_: &GiveUpEvent<'_, ()>, _: Shown<'_>) {}
}

/// The level and the error of a failure for the log, in generated code without hooks.
#[cfg(feature = "tracing")]
#[doc(hidden)]
#[macro_export]
macro_rules! __failure_log {
    ($level:ident, $error:ident) => {
        $crate::__private::Some((
            $crate::__private::Level::$level,
            $crate::__shown!($crate::__private::Some($error)),
        ))
    };
}

/// Logs nothing without the feature `tracing`.
#[cfg(not(feature = "tracing"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __failure_log {
    ($level:ident, $error:ident) => {
        $crate::__private::None
    };
}

/// Wraps a hook of generated code so that the event is logged first.
#[cfg(feature = "tracing")]
#[doc(hidden)]
#[macro_export]
macro_rules! __logged {
    (retry, $level:ident, $hook:expr) => {
        |event| {
            let error = $crate::__shown!(event.error);
            $crate::__private::log_retry(event, $crate::__private::Level::$level, error, $hook)
        }
    };
    (give_up, $hook:expr) => {
        |event| $crate::__private::log_give_up(event, $crate::__shown!(event.error), $hook)
    };
}

/// Passes a hook of generated code through.
#[cfg(not(feature = "tracing"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __logged {
    (retry, $level:ident, $hook:expr) => {
        $hook
    };
    (give_up, $hook:expr) => {
        $hook
    };
}

/// Returns the text of an error by `Display` or `Debug`, whichever the concrete type has.
#[doc(hidden)]
#[macro_export]
macro_rules! __shown {
    ($error:expr) => {
        match $error {
            $crate::__private::Some(error) => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    ShownAsResponse as _, ShownByDebug as _, ShownByNothing as _,
                };
                (&&$crate::__private::Probe(error)).resilience_shown()
            }
            $crate::__private::None => $crate::__private::Shown::Nothing,
        }
    };
}
