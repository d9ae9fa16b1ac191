//! The durations of a policy, counted in stripes.

use core::time::Duration;
use std::sync::{Arc, OnceLock};

use super::histogram::{BUCKETS, Histogram};
use super::stripes::Stripes;
use super::table::{
    CALL_DURATION, Figure, FigureInfo, FigureValue, Labels, OUTCOME, Slot, WAIT_DURATION,
};
use crate::clock;

/// The end of a call or of a wait, by which durations are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Success,
    Failure,
    Cancelled,
    /// The end of a wait for a permit.
    Waited,
}

type Row = (Ended, &'static FigureInfo, &'static [(&'static str, &'static str)]);

const ROWS: [Row; 4] = [
    (Ended::Success, &CALL_DURATION, &[(OUTCOME, "success")]),
    (Ended::Failure, &CALL_DURATION, &[(OUTCOME, "failure")]),
    (Ended::Cancelled, &CALL_DURATION, &[(OUTCOME, "cancelled")]),
    (Ended::Waited, &WAIT_DURATION, &[]),
];

/// Without the feature no duration is counted, and no policy has room for durations.
const COUNTED: usize = if cfg!(feature = "duration-histograms") { ROWS.len() } else { 0 };

/// The slot of the sum, behind the slots of the buckets.
const SUM: Slot = Slot::at(BUCKETS);

/// The distributions of a policy. A distribution is allocated at its first duration.
#[derive(Debug, Default)]
pub(crate) struct Durations([OnceLock<Box<Stripes>>; COUNTED]);

impl Durations {
    /// Counts a duration.
    pub(crate) fn add(&self, end: Ended, duration: Duration) {
        let row = ROWS.iter().position(|(known, ..)| *known == end);
        let Some(stripes) = row.and_then(|row| self.0.get(row)) else { return };
        let stripes = stripes.get_or_init(|| Box::new(Stripes::new()));
        let bucket = Histogram::BOUNDS.iter().position(|bound| duration <= *bound);
        let counters = stripes.own();
        counters.add(Slot::at(bucket.unwrap_or(BUCKETS - 1)), 1);
        counters.add(SUM, clock::nanos(duration));
    }

    /// Adds the distributions to the figures.
    pub(crate) fn figures(&self, figures: &mut Vec<Figure>) {
        for ((_, info, labels), stripes) in ROWS.iter().zip(&self.0) {
            let Some(stripes) = stripes.get() else { continue };
            let mut counts = [0; BUCKETS];
            for (index, count) in counts.iter_mut().enumerate() {
                *count = stripes.total(Slot::at(index));
            }
            let sum = Duration::from_nanos(stripes.total(SUM));
            let value = FigureValue::Histogram(Arc::new(Histogram { counts, sum }));
            figures.push(Figure { info, labels: Labels::Borrowed(labels), value });
        }
    }
}
