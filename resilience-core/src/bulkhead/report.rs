//! The figures and the report of a bulkhead.

use core::time::Duration;

use super::Bulkhead;
use crate::duration::Rounded;
use crate::figures::Figure;
use crate::figures::table;
use crate::keyed::KeyLabel;
use crate::registry::facts::Facts;
use crate::registry::policy::explain;
use crate::registry::{Explanation, Policy, PolicyFigures, PolicyKind, Setting};
use crate::settings::Check;

impl Bulkhead {
    /// Explains the settings: the conditions of a rejection, in words and as data.
    ///
    /// ```
    /// use resilience::Bulkhead;
    ///
    /// let policy = Bulkhead::new(8);
    /// assert_eq!(policy.explain().layers[0].text, "rejects above 8 concurrent calls");
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        explain(self)
    }
}

impl Policy for Bulkhead {
    fn kind(&self) -> PolicyKind {
        PolicyKind::Bulkhead
    }

    fn name(&self) -> &'static str {
        self.name_or_default()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.figures
    }

    fn key_label(&self) -> Option<&KeyLabel> {
        self.key.as_ref()
    }

    fn settings(&self) -> Vec<Setting> {
        let settings = self.current();
        let mut list = vec![Setting::code("max", settings.limit())];
        list.extend(settings.queue.map(|queue| Setting::code("queue", queue)));
        list.extend(settings.wait.map(Setting::wait));
        list.push(Setting::code("shadow", settings.shadow));
        list
    }

    fn code(&self) -> Box<dyn Check> {
        Box::new(self.settings)
    }

    fn refresh(&self) {
        self.follow();
    }

    fn facts(&self) -> Facts {
        let settings = self.current();
        let max = settings.limit();
        let calls = if max == 1 { "call" } else { "calls" };
        let above = format!("above {max} concurrent {calls}");
        if settings.shadow {
            return Facts::Rejects(format!("only observes calls {above}, in shadow mode"));
        }
        let wait = settings.wait.filter(|wait| *wait < Duration::MAX);
        let (text, longest) = match (settings.queue_capacity(0), wait) {
            (0, _) => (format!("rejects {above}"), Some(Duration::ZERO)),
            (_, Some(wait)) => (format!("waits up to {} {above}", Rounded(wait)), Some(wait)),
            (_, None) => (format!("waits {above}, without a limit"), None),
        };
        Facts::Waits { longest, text }
    }

    fn figures_now(&self, figures: &mut Vec<Figure>) {
        let queued = u64::try_from(self.queued()).unwrap_or(u64::MAX);
        figures.push(Figure::gauge(&table::IN_FLIGHT, self.running().into()));
        figures.push(Figure::gauge(&table::QUEUED, queued));
        figures.push(Figure::gauge(&table::LIMIT, self.current().limit().into()));
    }
}
