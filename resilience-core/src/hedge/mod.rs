//! Hedged calls: a second attempt while the first still runs.

mod attempts;
mod latencies;
#[cfg(not(resilience_loom))]
mod policy;

use core::panic::Location;
use core::time::Duration;

use resilience_rules::hedge as rules;

use crate::event::{HedgeCause, HedgeEvent};
use crate::figures::table::slot;
use crate::log;
use crate::registry::{Hedges, PolicyKind, Site};

pub use self::attempts::{HedgeSlot, hedge};
pub use self::latencies::Latencies;
#[cfg(not(resilience_loom))]
pub use self::policy::{HedgePolicy, Hedged};

/// The settings of `#[hedge]`, and the identity for the registry.
#[derive(Clone, Copy, Debug)]
pub struct Hedge {
    site: Site,
    settings: Hedges,
}

impl Hedge {
    /// Returns the settings of a call with at most `max` hedges, without a quantile.
    #[track_caller]
    #[must_use]
    pub const fn new(max: u8) -> Self {
        let settings = Hedges { max, delay: rules::WARM_UP, quantile: 0 };
        let site = Site::new(PolicyKind::Hedge, "", Location::caller(), 0);
        Self { site, settings }
    }

    /// Sets the delay before each hedge.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.settings.delay = delay;
        self
    }

    /// Sets the quantile of the latencies before each hedge, in thousandths.
    #[must_use]
    pub const fn quantile(mut self, thousandths: u32) -> Self {
        self.settings.quantile = thousandths;
        self
    }

    /// Sets the delay until the quantile is learned.
    #[must_use]
    pub const fn warm_up(self, delay: Duration) -> Self {
        self.after(delay)
    }

    /// Sets the name of the function and the number of layers outside, after all settings.
    #[track_caller]
    #[must_use]
    pub const fn at(mut self, name: &'static str, depth: u8) -> Self {
        self.site.name = name;
        self.site.depth = depth;
        self.site.location = Location::caller();
        self.site.hedges = Some(self.settings);
        self
    }

    /// Replaces the settings after [`at`](Self::at).
    const fn with(mut self, settings: Hedges) -> Self {
        self.settings = settings;
        self.site.hedges = Some(settings);
        self
    }

    /// Returns the delay of the next hedge.
    fn delay(&self, latencies: Option<&Latencies>) -> Duration {
        let learned = latencies.and_then(Latencies::learned);
        learned.unwrap_or_else(|| self.site.hedges_in_use(self.settings).delay)
    }

    /// Returns whether the settings in use allow a hedge; the first has the number 1.
    fn allows(&self, hedge: usize) -> bool {
        hedge <= usize::from(self.site.hedges_in_use(self.settings).max)
    }

    /// Counts and logs the start of a hedge, and calls the hook; the first has the number 1.
    #[cold]
    fn started(&self, hedge: usize, cause: HedgeCause, hook: &mut impl FnMut(&HedgeEvent)) {
        self.site.count(match cause {
            HedgeCause::Failure => slot::HEDGED_AFTER_FAILURE,
            HedgeCause::Delay => slot::HEDGED_AFTER_DELAY,
        });
        let hedge = u32::try_from(hedge).unwrap_or(u32::MAX);
        let (name, location) = (self.site.name, self.site.place());
        let event = HedgeEvent { name, hedge, cause, location };
        log::hedged(&event);
        hook(&event);
    }
}
