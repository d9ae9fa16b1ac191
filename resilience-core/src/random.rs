//! The draws behind jitter: one generator per thread, replaceable for a test.

use crate::test_overrides::{Override, find};

/// Where a thread's draws come from while a test has replaced them.
#[derive(Debug)]
pub(crate) enum Source {
    /// A generator with a known seed.
    Seeded(fastrand::Rng),
    /// These, in order; the last repeats.
    Given { draws: Vec<f64>, next: usize },
}

/// A uniform draw from `[0, 1)`.
#[must_use]
pub fn draw() -> f64 {
    find(|entry| match entry {
        Override::Draws(source) => source.next(),
        _ => None,
    })
    .unwrap_or_else(fastrand::f64)
}

impl Source {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Seeded(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn given(draws: impl IntoIterator<Item = f64>) -> Self {
        let draws = draws
            .into_iter()
            .map(|draw| if draw > 0.0 { draw.min(BELOW_ONE) } else { 0.0 })
            .collect();
        Self::Given { draws, next: 0 }
    }

    fn next(&mut self) -> Option<f64> {
        match self {
            Self::Seeded(generator) => Some(generator.f64()),
            Self::Given { draws, next } => {
                let draw = draws.get(*next).or(draws.last()).copied();
                *next = next.saturating_add(1);
                draw
            }
        }
    }
}

/// The largest draw there is.
const BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
