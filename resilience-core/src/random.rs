//! The draws behind jitter: one generator per thread, replaceable for a test.

use std::cell::RefCell;

/// Where a thread's draws come from while a test has replaced them.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A generator with a known seed.
    Seeded(fastrand::Rng),
    /// These, in order; the last repeats.
    Given { draws: Vec<f64>, next: usize },
}

thread_local! {
    static REPLACED: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// A uniform draw from `[0, 1)`.
pub(crate) fn draw() -> f64 {
    // A thread that is ending has lost its replacement; it draws as usual.
    REPLACED
        .try_with(|replaced| replaced.borrow_mut().as_mut().and_then(Source::next))
        .ok()
        .flatten()
        .unwrap_or_else(fastrand::f64)
}

/// Draws from `source` on this thread from now on; returns what it replaces.
pub(crate) fn replace(source: Option<Source>) -> Option<Source> {
    REPLACED.try_with(|replaced| replaced.replace(source)).ok().flatten()
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
