//! Time, chance and state in your tests: a virtual clock, seeded or given draws, no waits, functions as
//! new.
//!
//! Each function returns a guard. It works for the current thread, and what was before returns when
//! it is dropped, so that tests that run in parallel do not disturb each other. Guards nest; of two
//! that answer the same question the one made last does, and they may be dropped in any order.
//!
//! Async code under tokio needs no clock from here: in a test with `start_paused = true` every wait
//! passes at once and every policy reads the paused clock.
//!
//! ```
//! use core::time::Duration;
//! use resilience::{Jitter, RetryPolicy, testing};
//!
//! let clock = testing::clock();
//! let policy = RetryPolicy::new().attempts(3).fixed().base_delay(Duration::from_secs(20));
//! let result: Result<(), &str> = policy.run(|| Err("down"));
//! assert_eq!(result, Err("down"));
//! assert_eq!(clock.elapsed(), Duration::from_secs(40)); // and no time has passed
//! ```

use core::marker::PhantomData;
use core::time::Duration;
use std::rc::Rc;

use crate::circuit_breaker;
use crate::clock::{self, Timestamp};
use crate::function_state;
use crate::random::Source;
use crate::test_overrides::{self, Override, OverrideId};

/// Puts this thread under a virtual clock. WaitMode, of sync and async code alike, advance it and
/// return at once.
pub fn clock() -> Clock {
    let start = clock::now();
    Clock { start, guard: Guard::new(Override::Clock(start)) }
}

/// Makes the draws of this thread's jitter follow from `seed`: the same seed, the same delays.
pub fn seed(seed: u64) -> Draws {
    Draws { _guard: Guard::new(Override::Draws(Source::seeded(seed))) }
}

/// Makes the draws of this thread's jitter these, in order; the last repeats. Values are brought
/// into `[0, 1)`. Without any, draws are random.
///
/// ```
/// use core::time::Duration;
/// use resilience::{RetryPolicy, testing};
///
/// let _draws = testing::draws([0.5]);
/// assert_eq!(RetryPolicy::new().delay(1, None), Duration::from_millis(50)); // full jitter of 100 ms
/// ```
pub fn draws(draws: impl IntoIterator<Item = f64>) -> Draws {
    Draws { _guard: Guard::new(Override::Draws(Source::given(draws))) }
}

/// Makes this thread's waits pass at once. A deadline still counts them, so that attempts end where
/// they would in production.
pub fn no_waits() -> NoWaits {
    NoWaits { _guard: Guard::new(Override::NoWaits) }
}

/// Gives the functions that are called on this thread state of their own, as new: what an attribute
/// keeps in a `static` of its function, such as the quota of a bare `budget`. What they share by name
/// with others is not touched.
///
/// Each guard costs a little memory that is never freed.
pub fn fresh_state() -> FreshState {
    if function_state::start_overriding() {
        // Its fast path does not look for what a test has put in its place.
        circuit_breaker::expect_overrides();
    }
    FreshState { _guard: Guard::new(Override::State(Vec::new())) }
}

/// The replaced state of the functions of a thread. See [`fresh_state`].
#[derive(Debug)]
#[must_use = "functions have fresh state until this guard is dropped"]
pub struct FreshState {
    _guard: Guard,
}

/// The virtual clock of a thread. See [`clock()`].
#[derive(Debug)]
#[must_use = "the clock is virtual until this guard is dropped"]
pub struct Clock {
    start: Timestamp,
    guard: Guard,
}

impl Clock {
    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        test_overrides::with(&self.guard.id, |entry| match entry {
            Override::Clock(now) => {
                *now = now.plus(by);
                Some(())
            }
            _ => None,
        });
    }

    /// The virtual time that has passed since the guard was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let now = test_overrides::with(&self.guard.id, |entry| match entry {
            Override::Clock(now) => Some(*now),
            _ => None,
        });
        now.map_or(Duration::ZERO, |now| now.since(self.start))
    }
}

/// The replaced draws of a thread. See [`seed`] and [`draws()`].
#[derive(Debug)]
#[must_use = "draws are replaced until this guard is dropped"]
pub struct Draws {
    _guard: Guard,
}

/// The skipped waits of a thread. See [`no_waits`].
#[derive(Debug)]
#[must_use = "waits are skipped until this guard is dropped"]
pub struct NoWaits {
    _guard: Guard,
}

/// Takes its entry away when it is dropped, on the thread where it was put, which it cannot leave.
#[derive(Debug)]
struct Guard {
    id: OverrideId,
    not_send: PhantomData<Rc<()>>,
}

impl Guard {
    fn new(entry: Override) -> Self {
        Self { id: test_overrides::push(entry), not_send: PhantomData }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        test_overrides::remove(&self.id);
    }
}
