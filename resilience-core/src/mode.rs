//! The mode of the process, in a word for the happy paths.
//!
//! The happy path of a policy tests the word once, by [`is_plain`]. The switch, the overrides of
//! tests, overridden settings and the counting of successful calls share the word, at no further
//! cost in the normal mode.

use core::ops::Deref;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use crate::circuit_breaker;

/// All policies are switched off.
const DISABLED: usize = 1;
/// Successful calls are counted.
const COUNTING: usize = 1 << 1;
/// Settings of a policy are overridden, or policies are controlled by name.
const SETTINGS: usize = 1 << 2;
/// A deadline was set for the calls inside a function; stays for the life of the process.
const DEADLINES: usize = 1 << 3;
/// The process has a hook for events; stays for the life of the process. No happy path emits any.
const HOOKS: usize = 1 << 4;
/// One override of a test; the bits above count the overrides.
const OVERRIDE: usize = 1 << 8;

static MODE: Alone = Alone(AtomicUsize::new(0));

/// A word without a neighbor in its cache line. Every call of every policy reads the word, so a
/// neighbor that changes often would slow down all calls. Two lines: processors fetch pairs.
#[repr(align(128))]
struct Alone(AtomicUsize);

impl Deref for Alone {
    type Target = AtomicUsize;

    #[inline]
    fn deref(&self) -> &AtomicUsize {
        &self.0
    }
}

/// Returns whether policies are on, no test has an override, no setting is overridden, no
/// successful call is counted, and no deadline was ever set.
#[inline]
pub(crate) fn is_plain() -> bool {
    MODE.load(Relaxed) & !HOOKS == 0
}

/// Returns whether a rejection has no reader but the figures: policies are on, no test has an
/// override, no setting is overridden, and the process has no hook.
#[inline]
pub(crate) fn rejects_plainly() -> bool {
    MODE.load(Relaxed) & !(COUNTING | DEADLINES) == 0
}

/// Returns whether the process has a hook for events.
#[inline]
pub(crate) fn has_hooks() -> bool {
    MODE.load(Relaxed) & HOOKS != 0
}

pub(crate) fn set_has_hooks() {
    MODE.fetch_or(HOOKS, Relaxed);
}

/// Returns whether the mode is plain, apart from deadlines and from the counting of successful
/// calls, and the process has set a deadline.
#[inline]
pub(crate) fn is_plain_with_deadlines() -> bool {
    MODE.load(Relaxed) & !(COUNTING | HOOKS) == DEADLINES
}

/// Returns whether the state of a function in its `static` is the state in use, and no successful
/// call is counted.
#[inline]
pub(crate) fn has_plain_state() -> bool {
    MODE.load(Relaxed) & !(DEADLINES | HOOKS) == 0
}

/// Returns whether the process has set a deadline. Without a deadline no policy reads the context.
#[inline]
pub(crate) fn has_deadlines() -> bool {
    MODE.load(Relaxed) & DEADLINES != 0
}

/// Makes all policies examine the deadline of a call from now on.
pub(crate) fn start_deadlines() {
    MODE.fetch_or(DEADLINES, Relaxed);
}

/// Returns whether the mode is plain, apart from the counting of successful calls.
#[inline]
pub(crate) fn is_plain_and_counting() -> bool {
    MODE.load(Relaxed) & !HOOKS == COUNTING
}

#[inline]
pub(crate) fn is_enabled() -> bool {
    MODE.load(Relaxed) & DISABLED == 0
}

/// Returns whether policies are on, and no setting is overridden.
#[inline]
pub(crate) fn is_as_coded() -> bool {
    MODE.load(Relaxed) & (DISABLED | SETTINGS) == 0
}

/// Returns whether the store of settings was ever used.
#[inline]
pub(crate) fn has_settings() -> bool {
    MODE.load(Relaxed) & SETTINGS != 0
}

/// Makes all policies ask the store of settings from now on.
pub(crate) fn set_has_settings() {
    MODE.fetch_or(SETTINGS, Relaxed);
}

pub(crate) fn set_enabled(enabled: bool) {
    if enabled {
        MODE.fetch_and(!DISABLED, Relaxed);
    } else {
        MODE.fetch_or(DISABLED, Relaxed);
    }
}

/// Returns whether successful calls are counted.
#[inline]
pub fn is_counting() -> bool {
    MODE.load(Relaxed) & COUNTING != 0
}

/// Counts successful calls from now on.
pub(crate) fn start_counting() {
    MODE.fetch_or(COUNTING, Relaxed);
}

/// Returns whether no thread has an override.
#[inline]
pub(crate) fn has_no_override() -> bool {
    MODE.load(Relaxed) < OVERRIDE
}

pub(crate) fn add_override() {
    MODE.fetch_add(OVERRIDE, Relaxed);
}

pub(crate) fn remove_override() {
    MODE.fetch_sub(OVERRIDE, Relaxed);
}

/// A change of the process that the fast paths of all breakers have to read, once for the process.
pub(crate) struct ModeChange {
    is_published: AtomicBool,
}

impl ModeChange {
    pub(crate) const fn new() -> Self {
        Self { is_published: AtomicBool::new(false) }
    }

    /// Makes the change, unless all breakers know it. A thread that comes while another one makes
    /// the change tells the breakers, too: it cannot wait, because hooks may run meanwhile.
    #[inline]
    pub(crate) fn expect(&self, change: fn()) {
        if !self.is_published.load(Acquire) {
            self.publish(change);
        }
    }

    #[cold]
    #[inline(never)]
    fn publish(&self, change: fn()) {
        change();
        // The fast path of a breaker reads no mode until told to.
        circuit_breaker::republish_all();
        self.is_published.store(true, Release);
    }
}
