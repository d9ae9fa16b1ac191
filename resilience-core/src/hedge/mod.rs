//! Hedged calls: a second attempt while the first still runs.

mod attempts;
mod latencies;

use core::time::Duration;

use resilience_rules::hedge as rules;

pub use self::attempts::{HedgeSlot, hedge};
pub use self::latencies::Latencies;

/// The settings of `#[hedge]`.
#[derive(Clone, Copy, Debug)]
pub struct Hedge {
    name: &'static str,
    /// The delay before each hedge, until a quantile is learned.
    delay: Duration,
    /// The quantile to learn, in thousandths.
    quantile: u32,
}

impl Hedge {
    /// Returns settings without a quantile. The delay of a hedge is the delay of the warm-up.
    #[must_use]
    pub const fn new() -> Self {
        Self { name: "", delay: rules::WARM_UP, quantile: 0 }
    }

    /// Sets the delay before each hedge.
    #[must_use]
    pub const fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Sets the quantile of the latencies before each hedge, in thousandths.
    #[must_use]
    pub const fn quantile(self, thousandths: u32) -> Self {
        Self { quantile: thousandths, ..self }
    }

    /// Sets the delay until the quantile is learned.
    #[must_use]
    pub const fn warm_up(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Sets the name of the function in events.
    #[must_use]
    pub const fn at(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Returns the name of the function.
    const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the delay of the next hedge.
    fn delay(&self, latencies: Option<&Latencies>) -> Duration {
        latencies.and_then(Latencies::learned).unwrap_or(self.delay)
    }
}

impl Default for Hedge {
    fn default() -> Self {
        Self::new()
    }
}
