//! Random draws for jitter: one generator per thread, overridable in tests.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::clock;
use crate::test_overrides::{Override, find};

/// The source of a thread's draws in a test.
#[derive(Debug)]
pub(crate) enum Source {
    /// A generator with a known seed. The algorithm is named, so that a seed gives the same draws
    /// on every platform.
    Seeded(Xoshiro256PlusPlus),
    /// Given draws, in order; the last repeats.
    Given { draws: Vec<f64>, next: usize },
}

/// Returns a uniform draw from `[0, 1)`.
#[must_use]
pub fn draw() -> f64 {
    overridden_draw().unwrap_or_else(thread_draw)
}

/// Returns a draw for the length of a state, or zero in virtual time: a test then knows when the
/// state ends. A test that gives draws gets its draws.
pub(crate) fn timing_draw() -> f64 {
    overridden_draw().unwrap_or_else(|| if clock::is_virtual() { 0.0 } else { thread_draw() })
}

/// Returns the next draw of a test on this thread, if a test gives draws.
fn overridden_draw() -> Option<f64> {
    find(|entry| match entry {
        Override::Draws(source) => source.next(),
        _ => None,
    })
}

/// Returns a draw of this thread's generator, seeded at the first draw of the thread.
fn thread_draw() -> f64 {
    thread_local! {
        static GENERATOR: RefCell<Xoshiro256PlusPlus> = RefCell::new(
            // The keys of `RandomState` come from the operating system and differ for each use.
            Xoshiro256PlusPlus::seed_from_u64(RandomState::new().hash_one(std::process::id())),
        );
    }
    GENERATOR.with(|generator| generator.borrow_mut().random())
}

impl Source {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Seeded(Xoshiro256PlusPlus::seed_from_u64(seed))
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
            Self::Seeded(generator) => Some(generator.random()),
            Self::Given { draws, next } => {
                let draw = draws.get(*next).or(draws.last()).copied();
                *next = next.saturating_add(1);
                draw
            }
        }
    }
}

/// The largest draw below 1.
const BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
