//! The clock of sync and async code, and the ways to wait. Only this module uses tokio.
//!
//! The virtual clock of a test comes first. Tokio's clock comes second, inside a runtime, so that
//! a paused test agrees with every policy. The monotonic clock of the system comes last.

#[cfg(feature = "fast-clock")]
mod counter;
mod instant;
mod limit_timer;
mod timestamp;
mod wait;

use core::future::Future;
use std::time::Instant;

pub(crate) use self::limit_timer::LimitStart;
pub use self::limit_timer::LimitTimer;
pub use self::timestamp::{Timestamp, nanos};
pub use self::wait::{Delay, Sleep, WaitMode};
use crate::test_overrides::{Override, find, none_active};

/// Returns the current time by the clock of this thread.
#[must_use]
#[inline]
pub fn now() -> Timestamp {
    if none_active() { real_time() } else { overridden_now() }
}

#[cold]
#[inline(never)]
fn overridden_now() -> Timestamp {
    virtual_now().unwrap_or_else(real_time)
}

/// Returns the current time where no test has a clock: of the counter of the processor, unless a
/// test may pause tokio's clock.
#[inline]
#[cfg(feature = "fast-clock")]
pub(crate) fn real_time() -> Timestamp {
    if pausable::IS_PAUSABLE { Timestamp::from_instant(real_now()) } else { counter::now() }
}

/// Returns the current time where no test has a clock.
#[inline]
#[cfg(not(feature = "fast-clock"))]
pub(crate) fn real_time() -> Timestamp {
    Timestamp::from_instant(real_now())
}

/// Returns the time of an instant just read, by the clock of [`now`].
#[inline]
fn time_of(instant: Instant) -> Timestamp {
    if cfg!(feature = "fast-clock") { real_time() } else { Timestamp::from_instant(instant) }
}

/// Whether tokio's clock can be paused: whether a crate of the program has turned on the feature
/// `test-util` of tokio. Without the feature, tokio's clock is the clock of the system.
#[cfg(all(feature = "fast-clock", feature = "tokio"))]
mod pausable {
    #![allow(dead_code, unused_imports, reason = "with `test-util` tokio has the name `pause`")]
    #![allow(clippy::wildcard_imports, reason = "an import by name fails without `test-util`")]

    /// The result of [`pause`] without `test-util`.
    struct Absent;

    /// The function without `test-util`: an import by `*` in a block hides the names around it.
    fn pause() -> Absent {
        Absent
    }

    trait Pause {
        const IS_TOKIOS: bool;
    }

    impl Pause for Absent {
        const IS_TOKIOS: bool = false;
    }

    impl Pause for () {
        const IS_TOKIOS: bool = true;
    }

    const fn is_tokios<R: Pause>(_: fn() -> R) -> bool {
        R::IS_TOKIOS
    }

    pub(super) const IS_PAUSABLE: bool = {
        use tokio::time::*;
        is_tokios(pause)
    };
}

#[cfg(all(feature = "fast-clock", not(feature = "tokio")))]
mod pausable {
    pub(super) const IS_PAUSABLE: bool = false;
}

#[inline]
#[cfg(feature = "tokio")]
fn real_now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(not(feature = "tokio"))]
fn real_now() -> Instant {
    Instant::now()
}

/// Returns the virtual time of this thread, if a test has set a clock.
pub(crate) fn virtual_now() -> Option<Timestamp> {
    find(|entry| match entry {
        Override::Clock(now) => Some(*now),
        _ => None,
    })
}

/// Returns whether this thread runs in virtual time: under the clock of a test, or in a paused
/// runtime of tokio. A real clock of tokio is never before or after the clock of the system.
pub(crate) fn is_virtual() -> bool {
    let (before, now) = (Instant::now(), real_now());
    virtual_now().is_some() || now < before || now > Instant::now()
}

#[cfg(feature = "tokio")]
fn is_tokio_current() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

#[cfg(not(feature = "tokio"))]
fn is_tokio_current() -> bool {
    false
}

#[cfg(feature = "tokio")]
pub(crate) use tokio::task::JoinHandle;

/// Spawns a task on the current tokio runtime.
#[cfg(feature = "tokio")]
pub(crate) fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(task)
}

/// Spawns a task on the current tokio runtime, or returns the task where no runtime is current.
///
/// # Errors
///
/// Returns the task outside a tokio runtime, and without the feature `tokio`.
pub fn spawn_on_tokio<F>(task: F) -> Result<(), F>
where
    F: Future<Output = ()> + Send + 'static,
{
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(task);
        return Ok(());
    }
    Err(task)
}
