//! The figures and the report of a rate limiter.

use super::RateLimiter;
use crate::duration::{Exact, Rounded};
use crate::figures::Figure;
use crate::figures::table::{self, slot};
use crate::mode;
use crate::registry::facts::Facts;
use crate::registry::policy::{count, explain};
use crate::registry::{Explanation, Policy, PolicyFigures, PolicyKind, Setting};

impl RateLimiter {
    /// Explains the settings: the conditions of a rejection, in words and as data.
    ///
    /// ```
    /// use resilience::RateLimiter;
    ///
    /// let policy = RateLimiter::new(5, core::time::Duration::from_secs(1));
    /// assert_eq!(policy.explain().layers[0].text, "rejects above 5 calls per 1s, bursts of 1");
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        explain(self)
    }

    /// Counts an admitted call, if successes are counted.
    pub(super) fn count_admitted(&self) {
        if mode::is_counting() {
            count(self, slot::SUCCESS);
        }
    }
}

impl Policy for RateLimiter {
    fn kind(&self) -> PolicyKind {
        PolicyKind::RateLimit
    }

    fn name(&self) -> &'static str {
        self.name_or_default()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.figures
    }

    fn settings(&self) -> Vec<Setting> {
        vec![
            Setting::code("rate", self.rate.max(1)),
            Setting::code("per", Exact(self.per)),
            Setting::code("burst", self.burst.max(1)),
            Setting::code("wait", Exact(self.wait)),
            Setting::code("shadow", self.shadow),
        ]
    }

    fn facts(&self) -> Facts {
        let (rate, per, burst) = (self.rate.max(1), Rounded(self.per), self.burst.max(1));
        let rate = format!("{rate} calls per {per}, bursts of {burst}");
        let text = if self.wait.is_zero() {
            format!("rejects above {rate}")
        } else {
            format!("waits up to {} above {rate}", Rounded(self.wait))
        };
        Facts::Waits { longest: Some(self.wait), text }
    }

    fn figures_now(&self, figures: &mut Vec<Figure>) {
        figures.push(Figure::gauge(&table::AVAILABLE, self.available().into()));
        let queued = u64::try_from(self.view().gcra.queued()).unwrap_or(u64::MAX);
        figures.push(Figure::gauge(&table::TURNS, queued));
    }
}
