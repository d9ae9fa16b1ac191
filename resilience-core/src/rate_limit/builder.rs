//! The construction of a rate limiter.

use core::convert::Infallible;
use core::time::Duration;

use super::settings::Settings;
use super::{Definition, RateLimiter, State};
use crate::const_check::ensure;
use crate::name;
use crate::registry::PolicyFigures;
use crate::rejected::Rejected;
use crate::settings::Live;
use resilience_rules::InvalidPolicy;

impl RateLimiter {
    /// Creates a limiter for `rate` calls per `per`, evenly spread. Zero counts as 1, or as one
    /// nanosecond.
    #[track_caller]
    #[cfg(not(resilience_loom))]
    pub const fn new(rate: u32, per: Duration) -> Self {
        let definition = Definition {
            settings: Settings::new(rate, per),
            live: Live::new(),
            name: None,
            key: None,
            shared: None,
            figures: PolicyFigures::new(),
        };
        Self { definition, state: State::new() }
    }

    /// Divides the rate between the limiters of this name in all processes.
    ///
    /// The synchronization task of `resilience::stores::rate_limit` leases a share of the rate and
    /// of the burst for this limiter, by demand, through Redis or PostgreSQL. Calls never wait for
    /// the task. In any interval, all limiters together admit at most the calls that one limiter
    /// with these settings would admit, plus one call for each limiter. Without the task the
    /// limiter uses the whole rate, and the first rejection logs a warning.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// static PARTNER: RateLimiter =
    ///     RateLimiter::new(100, Duration::from_secs(1)).burst(20).shared("partner-api");
    /// assert!(PARTNER.try_acquire().is_ok());
    /// ```
    pub const fn shared(mut self, name: &'static str) -> Self {
        self.definition.shared = Some(name);
        self.definition.settings.is_shared = true;
        self
    }

    /// Sets the rate, for settings per key. Zero counts as 1.
    pub const fn rate(mut self, rate: u32) -> Self {
        self.definition.settings.rate = rate;
        self.updated()
    }

    /// Sets the period of the rate, for settings per key. Zero counts as one nanosecond.
    pub const fn per(mut self, per: Duration) -> Self {
        self.definition.settings.per = per;
        self.updated()
    }

    /// Sets the number of calls that may start at once after a rest. Default: 1. Zero counts as 1.
    /// Limited to the permits of 146 years.
    pub const fn burst(mut self, burst: u32) -> Self {
        self.definition.settings.burst = burst;
        self.updated()
    }

    /// Sets the longest wait of a call. A call that would wait longer is rejected at once.
    /// Default: zero, no wait. At most 146 years; [`Duration::MAX`] is a wait without a limit.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.definition.settings.wait = wait;
        self.updated()
    }

    /// Computes the pace after a setting has changed.
    const fn updated(mut self) -> Self {
        self.definition.settings = self.definition.settings.resolved();
        self
    }

    /// Returns the first rule that the settings break. Use it for settings from a file; the
    /// attribute checks constants against the same rules at compile time.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// assert!(RateLimiter::new(100, Duration::from_secs(1)).validate().is_ok());
    /// let error = RateLimiter::new(100, Duration::ZERO).validate().unwrap_err();
    /// assert!(error.to_string().contains("`per`"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a rate, a period or a burst of zero, a blank name or a name with `*`.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        ensure!(name::validate(self.definition.name));
        self.definition.settings.validate()
    }

    /// Turns on shadow mode: the limiter decides, counts and logs, but every call runs at once. A
    /// call that would be rejected counts as a [shadow rejection](Self::shadow_rejections). For
    /// trying a rate in production.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RateLimiter;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(3600)).shadow();
    /// assert!(limiter.try_acquire().is_ok() && limiter.try_acquire().is_ok());
    /// assert_eq!(limiter.shadow_rejections(), 1);
    /// ```
    pub const fn shadow(mut self) -> Self {
        self.definition.settings.shadow = true;
        self
    }

    /// Admits a call of a limiter that rejects no call: without a limit of the wait and without a
    /// deadline, or in shadow mode.
    ///
    /// # Errors
    /// Never fails.
    #[doc(hidden)]
    #[inline]
    #[allow(clippy::must_use_candidate, reason = "a `Result` without an error is no result")]
    pub fn admitted(result: Result<(), Rejected>) -> Result<(), Infallible> {
        // Rejected only at the end of the 64-bit clock, after 584 years.
        drop(result);
        Ok(())
    }
}
