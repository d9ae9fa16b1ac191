//! The figures and the report of a rate limiter.

use core::time::Duration;

use super::{Defined, RateLimiter};
use crate::duration::{Exact, Rounded};
use crate::figures::Figure;
use crate::figures::table;
use crate::keyed::KeyLabel;
use crate::registry::facts::Facts;
use crate::registry::policy::explain;
use crate::registry::{Explanation, Policy, PolicyFigures, PolicyKind, Setting};
use crate::settings::{Action, Check};
use crate::sync::Tally;

impl<D: Defined> RateLimiter<D> {
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
}

impl<D: Defined> Policy for RateLimiter<D> {
    fn kind(&self) -> PolicyKind {
        PolicyKind::RateLimit
    }

    fn name(&self) -> &'static str {
        self.name_or_default()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.definition().figures
    }

    fn own_rejections(&self) -> &Tally {
        &self.state.rejected
    }

    fn key_label(&self) -> Option<&KeyLabel> {
        self.definition().key.as_ref()
    }

    fn settings(&self) -> Vec<Setting> {
        let settings = self.current();
        vec![
            Setting::code("rate", settings.rate.max(1)),
            Setting::code("per", Exact(settings.per)),
            Setting::code("burst", settings.burst.max(1)),
            Setting::wait(settings.wait),
            Setting::code("shadow", settings.shadow),
        ]
    }

    fn code(&self) -> Box<dyn Check> {
        Box::new(self.definition().settings)
    }

    fn refresh(&self) {
        self.follow();
    }

    fn control(&self, action: Action, _: Option<Duration>) -> bool {
        self.act(action)
    }

    fn facts(&self) -> Facts {
        let settings = self.current();
        let (rate, per, burst) =
            (settings.rate.max(1), Rounded(settings.per), settings.burst.max(1));
        let calls = if rate == 1 { "call" } else { "calls" };
        let above = format!("above {rate} {calls} per {per}, bursts of {burst}");
        if settings.shadow {
            return Facts::Rejects(format!("only observes calls {above}, in shadow mode"));
        }
        match settings.wait {
            Duration::ZERO => {
                Facts::Waits { longest: Some(Duration::ZERO), text: format!("rejects {above}") }
            }
            Duration::MAX => {
                Facts::Waits { longest: None, text: format!("waits {above}, without a limit") }
            }
            wait => {
                let text = format!("waits up to {} {above}", Rounded(wait));
                Facts::Waits { longest: Some(wait), text }
            }
        }
    }

    fn figures_now(&self, figures: &mut Vec<Figure>) {
        figures.push(Figure::gauge(&table::AVAILABLE, self.available().into()));
        let queued = u64::try_from(self.current_view().gcra.queued()).unwrap_or(u64::MAX);
        figures.push(Figure::gauge(&table::TURNS, queued));
    }
}
