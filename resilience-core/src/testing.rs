//! Time, randomness and state in tests: a virtual clock, seeded or given draws, no waits, fresh
//! state.
//!
//! Each function returns a guard. The guard affects the current thread until dropped, so parallel
//! tests do not disturb each other. Guards nest: the newest guard wins. Guards can be dropped in
//! any order.
//!
//! Async tests under tokio need no virtual clock: with `start_paused = true`, waits end at once
//! and all policies read the paused clock. Tests with SQLite, a database server or sockets need
//! the virtual clock, because a paused clock passes the timeouts of a client while another thread
//! works.
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

use crate::clock::{self, Timestamp};
use crate::function_state;
use crate::mode::ModeChange;
use crate::random::Source;
use crate::test_overrides::{self, Override, OverrideId};

/// Sets a virtual clock for this thread. Waits, in sync and async code, advance the clock and
/// return at once.
pub fn clock() -> Clock {
    let start = clock::now();
    Clock { start, guard: Guard::new(Override::Clock(start)) }
}

/// Seeds the jitter of this thread: the same seed gives the same delays.
pub fn seed(seed: u64) -> Draws {
    Draws { _guard: Guard::new(Override::Draws(Source::seeded(seed))) }
}

/// Sets the draws of this thread's jitter, in order; the last repeats. Values are clamped to
/// `[0, 1)`. An empty list leaves the draws random.
///
/// ```
/// use core::time::Duration;
/// use resilience::{RetryPolicy, testing};
///
/// let _draws = testing::draws([0.5]);
/// // Half of 100 ms, by full jitter.
/// assert_eq!(RetryPolicy::new().delay(1, None), Duration::from_millis(50));
/// ```
pub fn draws(draws: impl IntoIterator<Item = f64>) -> Draws {
    Draws { _guard: Guard::new(Override::Draws(Source::given(draws))) }
}

/// Ends the waits of this thread at once. Deadlines still count the waits, so attempts end as in
/// production.
pub fn no_waits() -> NoWaits {
    NoWaits { _guard: Guard::new(Override::NoWaits) }
}

/// Gives fresh state to the functions that run on this thread. Covers the state that an attribute
/// keeps in a `static` of the function, such as the quota of a bare `budget`. Policies shared by
/// name are not affected.
///
/// Each guard leaks a little memory.
pub fn fresh_state() -> FreshState {
    static OVERRIDING: ModeChange = ModeChange::new();
    OVERRIDING.expect(function_state::start_overriding);
    FreshState { _guard: Guard::new(Override::State(Vec::new())) }
}

/// The fresh state of the functions of a thread. See [`fresh_state`].
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
    /// Advances the clock by `by`.
    pub fn advance(&self, by: Duration) {
        test_overrides::with(&self.guard.id, |entry| match entry {
            Override::Clock(now) => {
                *now = now.plus(by);
                Some(())
            }
            _ => None,
        });
    }

    /// Returns the virtual time since the guard was created.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let now = test_overrides::with(&self.guard.id, |entry| match entry {
            Override::Clock(now) => Some(*now),
            _ => None,
        });
        now.map_or(Duration::ZERO, |now| now.since(self.start))
    }
}

/// The overridden draws of a thread. See [`seed`] and [`draws()`].
#[derive(Debug)]
#[must_use = "draws are overridden until this guard is dropped"]
pub struct Draws {
    _guard: Guard,
}

/// The skipped waits of a thread. See [`no_waits`].
#[derive(Debug)]
#[must_use = "waits are skipped until this guard is dropped"]
pub struct NoWaits {
    _guard: Guard,
}

/// Removes its entry on drop. The guard stays on the thread of the entry.
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
