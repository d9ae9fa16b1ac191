//! The figures and the report of a coalescer.

use super::Coalescer;
use super::flight::Member;
use crate::context;
use crate::figures::Figure;
use crate::figures::table::{self, slot};
use crate::key_hash::KeyHash;
use crate::mode;
use crate::registry::facts::Facts;
use crate::registry::policy::{count, count_overdue, count_rejection, record_of};
use crate::registry::{Policy, PolicyFigures, PolicyKind, Setting};
use crate::rejected::{Rejected, RejectedKind};
use crate::settings::{Check, Unchangeable};

impl Coalescer {
    /// Returns the place of a call, which is alone while the coalescer is switched off by name.
    pub(super) fn member<O: 'static>(&self, key: KeyHash) -> Member<'_> {
        if mode::has_settings() && self.is_off() {
            return Member::alone::<O>(&self.flights, key);
        }
        Member::new::<O>(&self.flights, key)
    }

    #[cold]
    fn is_off(&self) -> bool {
        let overrides = record_of(self).overrides();
        overrides.is_some_and(|overrides| !overrides.is_enabled())
    }

    /// Counts a call that returned the outcome of another call.
    pub(super) fn count_shared(&self) {
        count(self, slot::SHARED);
    }

    /// Counts and returns the rejection of a waiting call after its deadline.
    #[cold]
    pub(super) fn overdue(&self) -> Option<Rejected> {
        let rejected = context::overdue(self.name_or_default(), None)?;
        count_overdue(self);
        Some(rejected)
    }

    /// Returns the rejection of a call whose leader panicked.
    #[cold]
    pub(super) fn rejection(&self) -> Rejected {
        count_rejection(self, false);
        Rejected::new(RejectedKind::Panicked, self.name_or_default(), None)
    }
}

impl Policy for Coalescer {
    fn kind(&self) -> PolicyKind {
        PolicyKind::Coalesce
    }

    fn name(&self) -> &'static str {
        self.name_or_default()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.figures
    }

    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    fn code(&self) -> Box<dyn Check> {
        Box::new(Unchangeable)
    }

    fn facts(&self) -> Facts {
        Facts::Rejects("runs concurrent equal calls once".into())
    }

    fn figures_now(&self, figures: &mut Vec<Figure>) {
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        figures.push(Figure::gauge(&table::EXECUTIONS, number(self.running())));
        figures.push(Figure::gauge(&table::FOLLOWERS, number(self.waiting())));
    }
}
