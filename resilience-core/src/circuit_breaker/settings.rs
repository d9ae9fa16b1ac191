//! The settings of a circuit breaker: setters, defaults, derived values and validation.

use core::time::Duration;
use std::sync::Arc;

use super::CircuitBreaker;
use super::definition::{Defined, Definition, State, View};
use super::events::Hook;
use super::snapshot::StateChange;
use super::window::Span;
use super::word::{CLOSED, UNUSED, flags};
#[cfg(not(resilience_loom))]
use crate::const_check;
use crate::const_check::ensure;
use crate::function_state::TestReset;
use crate::jitter::Jitter;
use crate::name::{self, intern};
use crate::random;
use crate::registry::{CIRCUIT_BREAKER, PolicyFigures};
use crate::settings::Live;
use crate::sync::{AtomicU64, const_fn};
use resilience_rules::InvalidPolicy;
use resilience_rules::circuit_breaker::{self as rules, MAX_WINDOW};

/// The effect of a call that is dropped before it ends. Set by [`CircuitBreaker::on_cancel`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnCancel {
    /// Neither a success nor a failure. The default.
    #[default]
    Ignore,
    /// A failure. Suits a dependency that hangs until an outer timeout drops the call.
    Failure,
}

/// The settings as given, and the values derived from them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) threshold: Option<u32>,
    pub(super) rate: Option<f64>,
    pub(super) window: Option<Span>,
    pub(super) min: Option<u32>,
    pub(super) slow: Option<f64>,
    pub(super) half_open_calls: Option<u32>,
    /// Derived: the failures that open the breaker, in a row or in the window; 0 is never.
    pub(super) failure_threshold: u32,
    /// Derived.
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_call: Option<Duration>,
    /// Derived.
    pub(super) slow_rate: Option<f64>,
    /// Derived.
    pub(super) span: Span,
    /// Derived.
    pub(super) min_calls: u32,
    pub(super) reset_timeout: Duration,
    pub(super) max_reset_timeout: Option<Duration>,
    /// The share of the open time that jitter adds at most.
    pub(super) jitter: f64,
    pub(super) recovery: Option<Duration>,
    pub(super) shadow: bool,
    /// False where a setting switches the breaker off.
    pub(super) enabled: bool,
    pub(super) max_open: Option<f64>,
    pub(super) success_threshold: u32,
    pub(super) on_cancel: OnCancel,
    pub(super) name: Option<&'static str>,
    pub(super) shared: Option<&'static str>,
}

impl CircuitBreaker {
    /// Returns a breaker that opens after five failures in a row, stays open for 30 seconds, and
    /// closes after one successful trial call.
    #[must_use]
    #[track_caller]
    #[cfg(not(resilience_loom))]
    pub const fn new() -> Self {
        Self::with_settings(Settings::new())
    }

    const_fn! {
        #[track_caller]
        pub(super) fn with_settings(settings: Settings) -> Self {
            let definition = Definition {
                settings,
                live: Live::new(),
                on_state_change: None,
                hook: None,
                listed: false,
                figures: PolicyFigures::new(),
            };
            Self { definition, state: State::new(&settings) }
        }
    }

    /// Returns the first rule that the settings break. Use it for settings from a file; the
    /// attribute checks constants against the same rules at compile time.
    ///
    /// ```
    /// use resilience::CircuitBreaker;
    ///
    /// assert!(CircuitBreaker::new().failure_rate(0.5).validate().is_ok());
    /// let error = CircuitBreaker::new().failure_rate(50.0).validate().unwrap_err();
    /// assert!(error.to_string().contains("`failure_rate`"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a threshold, rate or time of zero, a rate above 1, a minimum or threshold
    /// that the window cannot hold, a maximum open time below the first, fewer trial calls than
    /// must succeed, a blank name or a name with `*`.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        ensure!(name::validate(self.definition.settings.name));
        self.definition.settings.validate()
    }
}

impl View<'_> {
    pub(super) fn name_or_default(self) -> &'static str {
        self.definition.settings.name.unwrap_or(CIRCUIT_BREAKER)
    }
}

/// Settings. Each setter returns a breaker in its initial state.
#[cfg(not(resilience_loom))]
impl CircuitBreaker {
    /// Sets the number of failures that opens the breaker: failures in a row, or failures in the
    /// window where a window is set. Default: 5, and none where a
    /// [`failure_rate`](Self::failure_rate) is set.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.definition.settings.threshold = Some(failures);
        self.updated()
    }

    /// Sets the share of failed calls in the window that opens the breaker, above 0 and at most 1.
    /// The rate applies once [`min_calls`](Self::min_calls) are in the window. Without a window of
    /// your own the breaker looks back 10 s.
    #[must_use]
    pub const fn failure_rate(mut self, rate: f64) -> Self {
        self.definition.settings.rate = Some(rate);
        self.updated()
    }

    /// Looks back over the last `calls` calls, at most 100 000. The memory, two bits per call, is
    /// allocated at the first failure.
    #[must_use]
    pub const fn count_window(mut self, calls: u32) -> Self {
        self.definition.settings.window = Some(Span::Calls(calls));
        self.updated()
    }

    /// Looks back over the last `length`, in ten buckets that expire one at a time.
    #[must_use]
    pub const fn time_window(mut self, length: Duration) -> Self {
        self.definition.settings.window =
            Some(Span::Time { length, buckets: rules::WINDOW_BUCKETS });
        self.updated()
    }

    /// Sets the number of buckets of a [`time_window`](Self::time_window) that was set before.
    /// Default: 10. For tests that reproduce the windows of other libraries.
    #[doc(hidden)]
    #[must_use]
    pub const fn window_buckets(mut self, buckets: u32) -> Self {
        if let Some(Span::Time { length, .. }) = self.definition.settings.window {
            self.definition.settings.window = Some(Span::Time { length, buckets });
        }
        self.updated()
    }

    /// Sets the number of calls in the window from which a rate applies. Default: 20, or the size
    /// of the window if smaller.
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.definition.settings.min = Some(calls);
        self.updated()
    }

    /// Counts calls that take longer than `limit` as slow. The breaker then reads the clock at the
    /// start and at the end of every call.
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.definition.settings.slow_call = Some(limit);
        self.updated()
    }

    /// Sets the share of slow calls in the window that opens the breaker. No effect without
    /// [`slow_call`](Self::slow_call). Default: the failure rate, or 0.5.
    #[must_use]
    pub const fn slow_rate(mut self, rate: f64) -> Self {
        self.definition.settings.slow = Some(rate);
        self.updated()
    }

    /// Sets the time for which the breaker stays open. Default: 30 s.
    ///
    /// [`jitter`](Self::jitter) makes the time up to a tenth longer. If the failure that opens the
    /// breaker carries a longer delay from the server ([`FailureClass::after`]), the breaker stays
    /// open for that delay, at most [`max_reset_timeout`](Self::max_reset_timeout), or ten minutes
    /// without a maximum.
    ///
    /// [`FailureClass::after`]: crate::FailureClass::after
    #[must_use]
    pub const fn reset_timeout(mut self, time: Duration) -> Self {
        self.definition.settings.reset_timeout = time;
        self.updated()
    }

    /// Doubles the open time each time that the trial calls fail, up to `time`. Default: no
    /// growth.
    ///
    /// The open time returns to [`reset_timeout`](Self::reset_timeout) once the breaker was closed
    /// for as long as it was open. A breaker that closes and soon opens again keeps growing.
    #[must_use]
    pub const fn max_reset_timeout(mut self, time: Duration) -> Self {
        self.definition.settings.max_reset_timeout = Some(time);
        self.updated()
    }

    /// Sets the jitter of the open time: the time is drawn between its nominal value and this share
    /// above, so that breakers that opened together send their trial calls apart. A value outside 0
    /// to 1 counts as the nearer end. Default: 0.1.
    ///
    /// In virtual time, under [`testing::clock`](crate::testing::clock) or in a paused runtime of
    /// tokio, the jitter is zero unless the test gives draws.
    #[must_use]
    pub const fn jitter(mut self, ratio: f64) -> Self {
        self.definition.settings.jitter = ratio;
        self.updated()
    }

    /// Admits a linearly growing share of the calls for `time` after closing, from none to all, so
    /// that the dependency is not hit by all calls at once. The other calls are rejected. Default:
    /// all calls are admitted at once.
    ///
    /// The failures of the admitted calls count as always.
    #[must_use]
    pub const fn recovery(mut self, time: Duration) -> Self {
        self.definition.settings.recovery = Some(time);
        self.updated()
    }

    /// Turns on shadow mode: the breaker decides, counts, logs and calls the hook, but every call
    /// runs. For trying settings in production. A call that would be rejected counts in
    /// [`CircuitSnapshot::rejected`](super::CircuitSnapshot::rejected), and its outcome changes
    /// nothing.
    #[must_use]
    pub const fn shadow(mut self) -> Self {
        self.definition.settings.shadow = true;
        self.updated()
    }

    /// Limits the share of open breakers in a table of keys, above 0 and below 1.
    ///
    /// Above the share, further breakers stay closed: if most hosts fail at once, the failure is
    /// probably in this process or its network. One breaker may always open.
    ///
    /// The share counts from [five](resilience_rules::circuit_breaker::MAX_OPEN_MIN_KEYS) keys with
    /// a call in about the last minute. A breaker that stays closed counts in
    /// [`CircuitSnapshot::held_openings`](super::CircuitSnapshot::held_openings), and a WARN event
    /// per table and minute tells the share. No effect on a breaker without a table, and on manual
    /// control. Default: all breakers may open.
    #[must_use]
    pub const fn max_open(mut self, share: f64) -> Self {
        self.definition.settings.max_open = Some(share);
        self.updated()
    }

    /// Sets the number of trial calls that must succeed to close the breaker. Default: 1.
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.definition.settings.success_threshold = successes;
        self.updated()
    }

    /// Sets the number of trial calls that a half-open breaker admits. The breaker opens again as
    /// soon as the [`success_threshold`](Self::success_threshold) is out of reach. Default: the
    /// success threshold.
    #[must_use]
    pub const fn half_open_calls(mut self, calls: u32) -> Self {
        self.definition.settings.half_open_calls = Some(calls);
        self.updated()
    }

    /// Sets the effect of a call that is dropped before it ends, for example by an outer timeout.
    /// Default: [`OnCancel::Ignore`].
    #[must_use]
    pub const fn on_cancel(mut self, on_cancel: OnCancel) -> Self {
        self.definition.settings.on_cancel = on_cancel;
        self.updated()
    }

    /// Sets the name in rejections, events and logs. Default: `"circuit breaker"`.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.definition.settings.name = Some(name);
        self.updated()
    }

    /// Opens and closes together with the breakers of this name in other processes.
    ///
    /// The synchronization task of `resilience::stores::breaker` carries decisions to the other
    /// processes through Redis or PostgreSQL. Calls never wait for the task. Without the task
    /// nothing is shared, and each opening logs a warning.
    #[must_use]
    pub const fn shared(mut self, name: &'static str) -> Self {
        self.definition.settings.shared = Some(name);
        self.updated()
    }

    /// Sets a name made at run time; see [`name`](Self::name). Each distinct name is kept for the
    /// life of the process, so use few names: beyond 10 000 names, further names are `(other)`.
    #[must_use]
    pub fn named(self, name: impl AsRef<str>) -> Self {
        self.name(intern(name.as_ref()))
    }

    /// Sets the label of the key in rejections and events, for a breaker that serves one key. A
    /// label longer than 64 bytes is cut. Default: no label.
    #[must_use]
    pub fn key_label(mut self, label: impl core::fmt::Display) -> Self {
        self.state.key_label = Some(crate::keyed::KeyLabel::new(label));
        self
    }

    /// Calls `hook` after each change of state.
    ///
    /// The changes arrive in order, one at a time, and [`StateChange::number`] counts them. The
    /// state is already visible to all threads, and no lock is held. Most often the thread of the
    /// call that caused the change runs the hook. If another thread is in the hook, that thread
    /// also handles this change. A change caused by a panic waits for the next use of the breaker:
    /// no hook runs during unwinding. A panic in the hook is caught and logged.
    #[must_use]
    pub const fn on_state_change(mut self, hook: fn(&StateChange)) -> Self {
        self.definition.on_state_change = Some(hook);
        self
    }

    /// Calls `hook` after each change of state, as [`on_state_change`](Self::on_state_change) does;
    /// the hook may capture values.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use resilience::CircuitBreaker;
    ///
    /// let changes = Arc::new(Mutex::new(Vec::new()));
    /// let seen = Arc::clone(&changes);
    /// let breaker = CircuitBreaker::new()
    ///     .named(format!("tenant {}", 7))
    ///     .on_state_change_with(move |change| seen.lock().unwrap().push(change.to.to_string()));
    /// breaker.trip();
    /// assert_eq!(*changes.lock().unwrap(), ["open"]);
    /// ```
    #[must_use]
    pub fn on_state_change_with(
        mut self,
        hook: impl Fn(&StateChange) + Send + Sync + 'static,
    ) -> Self {
        self.definition.hook = Some(Hook(Arc::new(hook)));
        self
    }

    const fn updated(mut self) -> Self {
        self.definition.settings = self.definition.settings.resolved();
        self.state.word = AtomicU64::new(CLOSED | flags(&self.definition.settings, 0));
        self
    }

    /// Returns the breaker of an annotated function below `depth` layers: named after the function
    /// unless a name is set, and added to the registry at the first call.
    #[doc(hidden)]
    #[must_use]
    pub const fn at(mut self, name: &'static str, depth: u8) -> Self {
        self.definition.figures.depth = depth;
        if self.definition.settings.name.is_none() {
            self.definition.settings.name = Some(name);
        }
        self.state.word = AtomicU64::new(UNUSED);
        self.definition.listed = true;
        self
    }
}

#[cfg(not(resilience_loom))]
impl Default for CircuitBreaker {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Defined + From<Definition> + 'static> TestReset for CircuitBreaker<D> {
    fn fresh(&self) -> Self {
        let &Definition { settings, on_state_change, ref hook, ref figures, .. } =
            self.view().definition;
        let definition = Definition {
            settings,
            live: Live::new(),
            on_state_change,
            hook: hook.clone(),
            listed: false,
            figures: figures.fresh(),
        };
        Self { definition: definition.into(), state: State::new(&settings) }
    }
}

impl<D: Defined> AsRef<Self> for CircuitBreaker<D> {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The window of a breaker from a constant: a number of calls or a time.
#[derive(Clone, Copy, Debug)]
pub struct Window<T>(pub T);

#[cfg(not(resilience_loom))]
impl Window<u32> {
    /// Returns the breaker with this window.
    #[track_caller]
    #[must_use]
    pub const fn windowed(self, breaker: CircuitBreaker) -> CircuitBreaker {
        breaker.count_window(const_check::window(self.0))
    }
}

#[cfg(not(resilience_loom))]
impl Window<Duration> {
    /// Returns the breaker with this window.
    #[track_caller]
    #[must_use]
    pub const fn windowed(self, breaker: CircuitBreaker) -> CircuitBreaker {
        breaker.time_window(const_check::window_time(self.0))
    }
}

impl Settings {
    pub(super) const fn new() -> Self {
        Self {
            threshold: None,
            rate: None,
            window: None,
            min: None,
            slow: None,
            half_open_calls: None,
            failure_threshold: rules::FAILURE_THRESHOLD,
            failure_rate: None,
            slow_call: None,
            slow_rate: None,
            span: Span::None,
            min_calls: 0,
            reset_timeout: rules::RESET_TIMEOUT,
            max_reset_timeout: None,
            jitter: rules::OPEN_JITTER,
            recovery: None,
            shadow: false,
            enabled: true,
            max_open: None,
            success_threshold: rules::SUCCESS_THRESHOLD,
            on_cancel: OnCancel::Ignore,
            name: None,
            shared: None,
        }
    }

    /// Computes the derived values.
    pub(super) const fn resolved(mut self) -> Self {
        let rated = self.rate.is_some() || self.slow_call.is_some();
        self.slow_rate = match (self.slow_call, self.slow, self.rate) {
            (None, ..) => None,
            (Some(_), Some(rate), _) | (Some(_), None, Some(rate)) => Some(rate),
            (Some(_), None, None) => Some(rules::SLOW_RATE),
        };
        // With slow calls in a window of your own, failures count by the same rate.
        self.failure_rate = match (self.rate, self.threshold, self.window) {
            (None, None, Some(_)) => self.slow_rate,
            (rate, ..) => rate,
        };
        self.failure_threshold = match (self.threshold, self.failure_rate) {
            (Some(0), _) => 1,
            (Some(failures), _) => failures,
            (None, Some(_)) => 0,
            (None, None) => rules::FAILURE_THRESHOLD,
        };
        self.span = match self.window {
            Some(Span::Calls(calls)) => Span::Calls(clamped(calls)),
            Some(Span::Time { length, buckets }) => {
                Span::Time { length, buckets: clamped(buckets) }
            }
            None if rated => Span::Time { length: rules::WINDOW, buckets: rules::WINDOW_BUCKETS },
            Some(Span::None) | None => Span::None,
        };
        let min = match self.min {
            Some(calls) => calls,
            None => rules::MIN_CALLS,
        };
        // A minimum above the size of the window could never be reached.
        self.min_calls = match self.span {
            Span::Calls(size) if size < min => size,
            _ => min,
        };
        self
    }

    /// Returns whether `failure_threshold` counts failures in a row.
    pub(super) const fn counts_run(&self) -> bool {
        self.window.is_none()
    }

    /// Returns whether a closed breaker counts the same calls under other settings.
    pub(super) fn counts_as(&self, other: &Self) -> bool {
        self.span == other.span && self.slow_call == other.slow_call
    }

    /// Returns the number of trial calls that must succeed.
    pub(super) const fn successes(&self) -> u32 {
        if self.success_threshold == 0 { 1 } else { self.success_threshold }
    }

    /// Returns the number of trial calls that a half-open breaker admits.
    pub(super) const fn trial_calls(&self) -> u32 {
        let least = self.successes();
        match self.half_open_calls {
            Some(calls) if calls > least => calls,
            _ => least,
        }
    }

    /// Returns the open time after `reopened` reopenings, without jitter.
    pub(super) fn nominal_open_time(&self, reopened: u32) -> Duration {
        match self.max_reset_timeout {
            None => self.reset_timeout,
            Some(max) => {
                let doubled = 1_u32.checked_shl(reopened).unwrap_or(u32::MAX);
                self.reset_timeout.saturating_mul(doubled).min(max).max(self.reset_timeout)
            }
        }
    }

    /// Returns the open time after `reopened` reopenings: the nominal time or the delay that the
    /// dependency asked for, whichever is longer, with jitter above.
    pub(super) fn open_time(&self, reopened: u32, asked: Option<Duration>) -> Duration {
        let grown = self.nominal_open_time(reopened);
        let max = self.max_reset_timeout.unwrap_or(rules::MAX_ASKED_OPEN_TIME).max(grown);
        let time = asked.map_or(grown, |asked| asked.min(max).max(grown));
        if self.jitter > 0.0 {
            let max = self.max_reset_timeout.unwrap_or(Duration::MAX).max(time);
            let jitter = Jitter::Ratio(self.jitter);
            jitter.spread(time, time, Duration::MAX, random::timing_draw()).min(max)
        } else {
            time
        }
    }

    /// Returns the longest open time that these settings allow.
    pub(super) fn longest_open_time(&self) -> Duration {
        let longest = rules::MAX_ASKED_OPEN_TIME.max(self.reset_timeout);
        match self.max_reset_timeout {
            Some(max) => max.max(self.reset_timeout),
            None => Jitter::Ratio(self.jitter).spread(longest, longest, Duration::MAX, 1.0),
        }
    }

    /// Returns the time after the last failure, trial call or open time, from which a breaker
    /// without calls says nothing about the present.
    pub(super) fn abandoned_after(&self, reopened: u32) -> Duration {
        let window = match self.span {
            Span::Time { length, .. } => length,
            Span::None | Span::Calls(_) => Duration::ZERO,
        };
        window.max(self.nominal_open_time(reopened))
    }

    /// Returns the lease of a trial call's permit after `reopened` reopenings. The lease grows with
    /// the open time, so that a dependency whose failures are slow gets few trial calls.
    pub(super) fn lease(&self, reopened: u32) -> Duration {
        self.nominal_open_time(reopened).max(self.slow_call.unwrap_or_default())
    }

    pub(super) const fn validate(&self) -> Result<(), InvalidPolicy> {
        if let Some(failures) = self.threshold {
            ensure!(rules::failure_threshold(failures));
            if let Some(Span::Calls(size)) = self.window {
                ensure!(rules::threshold_within_window(failures, size));
            }
        }
        if let Some(Span::Calls(size)) = self.window {
            ensure!(rules::window(size));
        }
        if let Some(rate) = self.rate {
            ensure!(rules::failure_rate(rate));
        }
        if let Some(rate) = self.slow {
            ensure!(rules::slow_rate(rate));
        }
        if let Some(limit) = self.slow_call {
            ensure!(rules::slow_call(limit));
        }
        if let Some(min) = self.min {
            ensure!(rules::min_calls(min));
            if let Some(Span::Calls(size)) = self.window {
                ensure!(rules::min_calls_within_window(min, size));
            }
        }
        if let Some(Span::Time { length, .. }) = self.window {
            ensure!(rules::window_time(length));
        }
        if let Some(max) = self.max_reset_timeout {
            ensure!(rules::reset_within_max(self.reset_timeout, max));
        }
        if let Some(calls) = self.half_open_calls {
            ensure!(rules::trial_calls_suffice(self.success_threshold, calls));
        }
        if let Some(share) = self.max_open {
            ensure!(rules::max_open(share));
        }
        if let Some(time) = self.recovery {
            ensure!(rules::recovery(time));
        }
        ensure!(
            rules::open_jitter(self.jitter),
            rules::reset_timeout(self.reset_timeout),
            rules::success_threshold(self.success_threshold)
        );
        Ok(())
    }
}

const fn clamped(count: u32) -> u32 {
    match count {
        0 => 1,
        1..=MAX_WINDOW => count,
        _ => MAX_WINDOW,
    }
}
