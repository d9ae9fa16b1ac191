//! The configuration of a breaker.

use core::time::Duration;

use super::change::StateChange;
use super::window::Span;
pub(super) use resilience_rules::circuit_breaker::MAX_WINDOW as LARGEST;
use resilience_rules::{InvalidPolicy, circuit_breaker as rules};

/// What was asked for, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    threshold: Option<u32>,
    rate: Option<f64>,
    window: Option<Span>,
    min: Option<u32>,
    slow: Option<f64>,
    half_open_calls: Option<u32>,
    /// Failures that open it: in a row, or in the window where one was asked for. 0 is never.
    pub(super) failure_threshold: u32,
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_call: Option<Duration>,
    pub(super) slow_rate: Option<f64>,
    pub(super) span: Span,
    pub(super) min_calls: u32,
    reset_timeout: Duration,
    max_reset_timeout: Option<Duration>,
    success_threshold: u32,
    pub(super) abandoned_fails: bool,
    pub(super) name: Option<&'static str>,
    pub(super) shared: Option<&'static str>,
    pub(super) on_state_change: Option<fn(&StateChange)>,
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
            success_threshold: rules::SUCCESS_THRESHOLD,
            abandoned_fails: false,
            name: None,
            shared: None,
            on_state_change: None,
        }
    }

    pub(super) const fn failure_threshold(mut self, failures: u32) -> Self {
        self.threshold = Some(failures);
        self.resolved()
    }

    pub(super) const fn failure_rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self.resolved()
    }

    pub(super) const fn count_window(mut self, calls: u32) -> Self {
        self.window = Some(Span::Calls(calls));
        self.resolved()
    }

    pub(super) const fn time_window(mut self, length: Duration) -> Self {
        self.window = Some(Span::Time { length, buckets: rules::WINDOW_BUCKETS });
        self.resolved()
    }

    pub(super) const fn window_buckets(mut self, count: u32) -> Self {
        if let Some(Span::Time { length, .. }) = self.window {
            self.window = Some(Span::Time { length, buckets: count });
        }
        self.resolved()
    }

    pub(super) const fn min_calls(mut self, calls: u32) -> Self {
        self.min = Some(calls);
        self.resolved()
    }

    pub(super) const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = Some(limit);
        self.resolved()
    }

    pub(super) const fn slow_rate(mut self, rate: f64) -> Self {
        self.slow = Some(rate);
        self.resolved()
    }

    pub(super) const fn reset_timeout(mut self, time: Duration) -> Self {
        self.reset_timeout = time;
        self
    }

    pub(super) const fn max_reset_timeout(mut self, time: Duration) -> Self {
        self.max_reset_timeout = Some(time);
        self
    }

    pub(super) const fn half_open_calls(mut self, calls: u32) -> Self {
        self.half_open_calls = Some(calls);
        self
    }

    pub(super) const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = successes;
        self
    }

    pub(super) const fn abandoned_is_failure(mut self, fails: bool) -> Self {
        self.abandoned_fails = fails;
        self
    }

    pub(super) const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    pub(super) const fn shared(mut self, name: &'static str) -> Self {
        self.shared = Some(name);
        self
    }

    pub(super) const fn on_state_change(mut self, hook: fn(&StateChange)) -> Self {
        self.on_state_change = Some(hook);
        self
    }

    /// What follows from the keys together.
    const fn resolved(mut self) -> Self {
        let rated = self.rate.is_some() || self.slow_call.is_some();
        self.slow_rate = match (self.slow_call, self.slow, self.rate) {
            (None, ..) => None,
            (Some(_), Some(rate), _) | (Some(_), None, Some(rate)) => Some(rate),
            (Some(_), None, None) => Some(rules::SLOW_RATE),
        };
        // Beside slow calls in a window of one's own, failures are a share of it as well.
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
        // More than the window holds would be never.
        self.min_calls = match self.span {
            Span::Calls(size) if size < min => size,
            _ => min,
        };
        self
    }

    /// Whether `failure_threshold` counts failures in a row.
    pub(super) const fn counts_run(&self) -> bool {
        self.window.is_none()
    }

    /// Whether a success in a closed state must be written down even if no failure came before it.
    pub(super) const fn records(&self) -> bool {
        !matches!(self.span, Span::None)
    }

    /// How many probes must succeed.
    pub(super) const fn successes(&self) -> u32 {
        if self.success_threshold == 0 { 1 } else { self.success_threshold }
    }

    /// How many probes a half-open breaker lets through.
    pub(super) const fn probes(&self) -> u32 {
        let least = self.successes();
        match self.half_open_calls {
            Some(calls) if calls > least => calls,
            _ => least,
        }
    }

    /// How long it stays open after it has opened again `reopened` times.
    pub(super) fn open_time(&self, reopened: u32) -> Duration {
        match self.max_reset_timeout {
            None => self.reset_timeout,
            Some(max) => {
                let doubled = 1_u32.checked_shl(reopened).unwrap_or(u32::MAX);
                self.reset_timeout.saturating_mul(doubled).min(max).max(self.reset_timeout)
            }
        }
    }

    /// How long a probe keeps its permit.
    pub(super) fn lease(&self) -> Duration {
        self.reset_timeout.max(self.slow_call.unwrap_or_default())
    }

    pub(super) const fn validate(&self) -> Result<(), InvalidPolicy> {
        macro_rules! hold {
            ($($rule:expr),* $(,)?) => { $(if let Err(broken) = $rule { return Err(broken); })* };
        }
        if let Some(failures) = self.threshold {
            hold!(rules::failure_threshold(failures));
            if let Some(Span::Calls(size)) = self.window {
                hold!(rules::threshold_within_window(failures, size));
            }
        }
        if let Some(Span::Calls(size)) = self.window {
            hold!(rules::window(size));
        }
        if let Some(rate) = self.rate {
            hold!(rules::failure_rate(rate));
        }
        if let Some(rate) = self.slow {
            hold!(rules::slow_rate(rate));
        }
        if let (Some(min), Some(Span::Calls(size))) = (self.min, self.window) {
            hold!(rules::min_calls_within_window(min, size));
        }
        if let Some(Span::Time { length, .. }) = self.window {
            hold!(rules::window_time(length));
        }
        if let Some(max) = self.max_reset_timeout {
            hold!(rules::reset_within_max(self.reset_timeout, max));
        }
        if let Some(calls) = self.half_open_calls {
            hold!(rules::probes_suffice(self.success_threshold, calls));
        }
        hold!(
            rules::reset_timeout(self.reset_timeout),
            rules::success_threshold(self.success_threshold)
        );
        Ok(())
    }
}

const fn clamped(count: u32) -> u32 {
    match count {
        0 => 1,
        1..=LARGEST => count,
        _ => LARGEST,
    }
}
