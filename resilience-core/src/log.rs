//! Events as `tracing` events: nothing without the feature of that name.

use core::fmt;
use core::time::Duration;

use crate::event::{GiveUpEvent, RetryEvent};
use crate::rejected::Rejected;

/// The level of a scheduled retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The default.
    Warn,
    /// For failures that are part of a normal day.
    Info,
    /// For loops that fail all the time.
    Debug,
}

/// An error by whichever of `Display` and `Debug` it has.
#[derive(Clone, Copy)]
pub enum Shown<'e> {
    /// It has `Display`.
    Display(&'e dyn fmt::Display),
    /// It has `Debug` only.
    Debug(&'e dyn fmt::Debug),
    /// It has neither, or there is none.
    Nothing,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Display(error) => error.fmt(f),
            Self::Debug(error) => error.fmt(f),
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

/// Logs the end of a call that failed, then calls the hook.
pub fn give_up<E>(
    event: &GiveUpEvent<'_, E>,
    error: Shown<'_>,
    hook: impl FnOnce(&GiveUpEvent<'_, E>),
) {
    log_give_up(&event.anonymous(), error);
    hook(event);
}

/// A hook of a call that was made by hand, inside what logs the event. How its error is shown is not
/// known there.
pub(crate) fn retries<E>(hook: impl FnOnce(&RetryEvent<'_, E>)) -> impl FnOnce(&RetryEvent<'_, E>) {
    |event| retry(event, Level::Warn, Shown::Nothing, hook)
}

/// The same for the end of a call.
pub(crate) fn give_ups<E>(
    hook: impl FnOnce(&GiveUpEvent<'_, E>),
) -> impl FnOnce(&GiveUpEvent<'_, E>) {
    |event| give_up(event, Shown::Nothing, hook)
}

/// Logs a change of a breaker's state.
#[cfg(feature = "tracing")]
pub(crate) fn state_change(
    name: &str,
    from: &dyn fmt::Display,
    to: &dyn fmt::Display,
    open_for: Option<Duration>,
    remote: bool,
) {
    tracing::warn!(
        target: "resilience",
        function = name,
        %from,
        %to,
        open_for_ms = open_for.map(millis),
        // Where it is so only: most are not.
        remote = remote.then_some(true),
        "circuit breaker changed"
    );
}

/// Logs that a breaker has news for other processes, and nobody to carry it there.
#[cfg(feature = "tracing")]
pub(crate) fn unsynchronized(name: &str) {
    tracing::warn!(
        target: "resilience",
        function = name,
        "the circuit breaker is `shared`, and no exchange runs in this process: \
         spawn `BreakerSync::new(board).run()`"
    );
}

/// Logs that a breaker has news for other processes, and nobody to carry it there.
#[cfg(not(feature = "tracing"))]
pub(crate) fn unsynchronized(_: &str) {}

/// Logs that the state of breakers is not exchanged any more, and why.
#[cfg(feature = "tracing")]
pub fn exchange_lost(error: &dyn fmt::Display) {
    tracing::warn!(target: "resilience", %error, "circuit breakers are not shared for now");
}

/// Logs that the state of breakers is not exchanged any more.
#[cfg(not(feature = "tracing"))]
pub fn exchange_lost(_: &dyn fmt::Display) {}

/// Logs that the state of breakers is exchanged again.
#[cfg(feature = "tracing")]
pub fn exchange_found() {
    tracing::info!(target: "resilience", "circuit breakers are shared again");
}

/// Logs that the state of breakers is exchanged again.
#[cfg(not(feature = "tracing"))]
pub fn exchange_found() {}

/// Logs a change of a breaker's state.
#[cfg(not(feature = "tracing"))]
pub(crate) fn state_change(
    _: &str,
    _: &dyn fmt::Display,
    _: &dyn fmt::Display,
    _: Option<Duration>,
    _: bool,
) {
}

/// Logs that something stood in for a failure.
#[cfg(feature = "tracing")]
pub(crate) fn fallback_used(name: &str) {
    tracing::info!(target: "resilience", function = name, "fell back");
}

/// Logs that something stood in for a failure.
#[cfg(not(feature = "tracing"))]
pub(crate) fn fallback_used(_: &str) {}

/// Logs a call that was turned away. Not above DEBUG: an open circuit turns away thousands, and its
/// opening has been told.
#[cfg(feature = "tracing")]
pub(crate) fn rejected(rejected: &Rejected) {
    tracing::debug!(
        target: "resilience",
        function = rejected.name(),
        kind = %rejected.kind(),
        retry_after_ms = rejected.retry_after().map(millis),
        limit_ms = rejected.limit().map(millis),
        "rejected"
    );
}

/// Logs a call that was turned away.
#[cfg(not(feature = "tracing"))]
pub(crate) fn rejected(_: &Rejected) {}

#[cfg(feature = "tracing")]
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

#[cfg(feature = "tracing")]
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

/// A first failure that nobody would repeat is no end of an effort, and no error of this layer. Neither
/// is a call that was turned away at once: an open circuit turns away thousands, and has been told.
#[cfg(feature = "tracing")]
pub(crate) fn log_give_up(event: &GiveUpEvent<'_, ()>, error: Shown<'_>) {
    use crate::event::StopReason;

    let is_final = matches!(event.reason, StopReason::Permanent | StopReason::Rejected);
    if event.attempt == 1 && is_final {
        log_event!(DEBUG, event, error, stop_reason = %event.reason, "not retried");
    } else {
        log_event!(ERROR, event, error, stop_reason = %event.reason, "giving up");
    }
}

#[cfg(feature = "tracing")]
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn log_retry(_: &RetryEvent<'_, ()>, _: Level, _: Shown<'_>) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn log_give_up(_: &GiveUpEvent<'_, ()>, _: Shown<'_>) {}

/// What the log is told of a failure, in generated code without hooks.
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

/// Nothing.
#[cfg(not(feature = "tracing"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __failure_log {
    ($level:ident, $error:ident) => {
        $crate::__private::None
    };
}

/// A hook of generated code, inside what logs the event.
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

/// A hook of generated code.
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

/// An error of a type that is known here, by whatever it can be shown by.
#[cfg(feature = "tracing")]
#[doc(hidden)]
#[macro_export]
macro_rules! __shown {
    ($error:expr) => {
        match $error {
            $crate::__private::Some(error) => {
                #[allow(unused_imports)]
                use $crate::__private::{ShownByDebug as _, ShownByNothing as _};
                (&$crate::__private::Probe(error)).shown()
            }
            $crate::__private::None => $crate::__private::Shown::Nothing,
        }
    };
}
