//! The context of the running code: a thread-local that a scope sets and restores.
//!
//! A scope covers a single poll of a future, or a call of a closure. A guard restores the previous
//! values on every exit, also on a panic. The thread-local has no destructor, so access cannot
//! fail.

use core::cell::Cell;
use core::panic::Location;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Priority;
use super::retried::BoundedCall;
use crate::clock::{Timestamp, now};
use crate::mode::{self, ModeChange};
use crate::switch;

/// The end of a call, and the function that set the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) at: Timestamp,
    pub(crate) set_by: &'static str,
}

/// A function that sets a deadline, or that retries the calls inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setter {
    pub(crate) name: &'static str,
    pub(crate) outer_only: bool,
    /// The function in the source code, for the layers of the same function.
    function: Option<&'static Location<'static>>,
}

impl Setter {
    /// Creates the setter of a function with this name.
    #[must_use]
    pub const fn new(name: &'static str, outer_only: bool) -> Self {
        Self { name, outer_only, function: None }
    }

    /// Creates the setter of a function whose own layers leave the deadline to a timeout.
    pub(crate) const fn of_timeout(
        name: &'static str,
        function: &'static Location<'static>,
    ) -> Self {
        Self { name, outer_only: false, function: Some(function) }
    }
}

/// The attempt of the nearest retry outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OuterRetry {
    pub(crate) name: &'static str,
    pub(crate) outer_only: bool,
    pub(crate) attempt: u32,
}

/// All values of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) retry: Option<OuterRetry>,
    pub(crate) priority: Option<Priority>,
    /// The number of the attempt that a client sent; 0 if unknown.
    pub(crate) received_attempt: u32,
}

/// The end of the clock: no deadline. The comparison of two deadlines needs no case without one.
pub(crate) const NO_DEADLINE: Timestamp = Timestamp::MAX;

/// The number of an attempt in the high half; in the low half the last bits of the number of a
/// [call](new_call) with a deadline, and flags. So a scope copies one word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptWord(u64);

const IS_RETRY: u64 = 1;
const IS_SOLE: u64 = 1 << 1;
const CALL_SHIFT: u32 = 2;
const NUMBER_SHIFT: u32 = 32;

impl AttemptWord {
    const NONE: Self = Self(0);

    /// Returns the word of an attempt of a retry.
    #[inline]
    pub(crate) const fn new(number: u32, outer_only: bool) -> Self {
        Self((number as u64) << NUMBER_SHIFT | IS_RETRY | if outer_only { IS_SOLE } else { 0 })
    }

    /// Returns the word inside an outer attempt: inside a retry with `outer_only`, every further
    /// retry has `outer_only` as well.
    #[inline]
    const fn inside(self, outer: Self) -> Self {
        Self(self.0 | outer.0 & IS_SOLE)
    }

    /// Returns the word of an attempt of a retry, which may have a deadline.
    #[inline]
    pub(crate) fn with(deadline: Option<Timestamp>, number: u32, outer_only: bool) -> Self {
        let word = Self::new(number, outer_only);
        if deadline.is_none() {
            return word;
        }
        expect_deadlines();
        Self(word.0 | new_call() << CALL_SHIFT & u64::from(u32::MAX))
    }

    /// Returns the attempt as a call with a deadline.
    #[inline]
    pub(crate) const fn call(self) -> CallId {
        self.0
    }

    const fn is_sole(self) -> bool {
        self.0 & IS_SOLE != 0
    }

    const fn number(self) -> u32 {
        (self.0 >> NUMBER_SHIFT) as u32
    }
}

/// Identifies a call with a deadline: no other call with an end at that time has the number.
pub(crate) type CallId = u64;

/// The number of no call.
const NO_CALL: CallId = 0;

/// A thread takes this many numbers at once.
const CALL_IDS: u64 = 1 << 16;

/// Returns a number that no other call of the process has.
#[inline]
pub(crate) fn new_call() -> CallId {
    CURRENT.with(|current| {
        let mut call = current.next_call.get();
        if call % CALL_IDS == 0 {
            call = first_call();
        }
        current.next_call.set(call + 1);
        call
    })
}

/// Returns the first of further numbers for a thread. A block of numbers starts behind a multiple
/// of its length.
#[cold]
#[inline(never)]
fn first_call() -> CallId {
    static BLOCKS: AtomicU64 = AtomicU64::new(0);
    BLOCKS.fetch_add(1, Relaxed).wrapping_mul(CALL_IDS).wrapping_add(1)
}

/// An attempt in the thread-local: two words.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// `None` if the name is in a cell of its own.
    setter: Option<&'static Setter>,
    word: AttemptWord,
}

const NO_ATTEMPT: Attempt = Attempt { setter: None, word: AttemptWord::NONE };

/// A deadline of an attempt that does not bound a wait in place of a rejection.
#[derive(Clone, Copy, Debug)]
struct Patience {
    deadline: Timestamp,
    /// The end of such a wait.
    queue_end: Timestamp,
}

const NO_PATIENCE: Patience = Patience { deadline: NO_DEADLINE, queue_end: NO_DEADLINE };

/// The values in separate cells, so that a scope copies only the values that it changes. The scope
/// of an annotated function copies pointers to a `static`, and other scopes copy names.
#[derive(Debug)]
struct Current {
    at: Cell<Timestamp>,
    /// Apart from `at`, because few deadlines are patient.
    patience: Cell<Patience>,
    /// `None` if the name is in `set_by`.
    setter: Cell<Option<&'static Setter>>,
    set_by: Cell<&'static str>,
    /// The call with the deadline.
    call: Cell<CallId>,
    /// The number of the next call; a multiple of [`CALL_IDS`] if the thread needs further numbers.
    next_call: Cell<CallId>,
    attempt: Cell<Attempt>,
    retry_name: Cell<&'static str>,
    priority: Cell<Option<Priority>>,
    received_attempt: Cell<u32>,
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            at: Cell::new(NO_DEADLINE),
            patience: Cell::new(NO_PATIENCE),
            setter: Cell::new(None),
            set_by: Cell::new(""),
            call: Cell::new(NO_CALL),
            next_call: Cell::new(0),
            attempt: Cell::new(NO_ATTEMPT),
            retry_name: Cell::new(""),
            priority: Cell::new(None),
            received_attempt: Cell::new(0),
        }
    };
}

impl Current {
    fn deadline(&self) -> Option<Deadline> {
        let set_by = self.setter.get().map_or(self.set_by.get(), |setter| setter.name);
        self.end().map(|at| Deadline { at, set_by })
    }

    #[inline]
    fn end(&self) -> Option<Timestamp> {
        some(self.at.get())
    }

    /// Returns the end of a wait in place of a rejection. A deadline inside of a patient deadline
    /// is earlier, and bounds the wait again.
    fn queue_end(&self) -> Timestamp {
        let Patience { deadline, queue_end } = self.patience.get();
        if self.at.get() == deadline { queue_end } else { self.at.get() }
    }

    /// Lets the deadline `at`, which is about to be set, bound no wait in place of a rejection.
    /// Returns the patience before.
    #[cold]
    fn start_patience(&self, at: Timestamp) -> Patience {
        self.patience.replace(Patience { deadline: at, queue_end: self.queue_end() })
    }

    fn retry(&self) -> Option<OuterRetry> {
        let Attempt { setter, word } = self.attempt.get();
        let name = setter.map_or(self.retry_name.get(), |setter| setter.name);
        let (outer_only, attempt) = (word.is_sole(), word.number());
        (word.0 & IS_RETRY != 0).then_some(OuterRetry { name, outer_only, attempt })
    }

    /// Sets the deadline of a name, or no deadline, for a call.
    fn set_deadline(&self, deadline: Option<Deadline>, call: CallId) {
        let at = deadline.map_or(NO_DEADLINE, |deadline| deadline.at);
        self.at.set(at);
        if let Some(Deadline { set_by, .. }) = deadline {
            expect_deadlines();
            self.setter.set(None);
            self.set_by.set(set_by);
            self.call.set(call);
        }
    }

    fn set_retry(&self, retry: Option<OuterRetry>) {
        self.attempt.set(retry.map_or(NO_ATTEMPT, |retry| Attempt {
            setter: None,
            word: AttemptWord::new(retry.attempt, retry.outer_only),
        }));
        self.retry_name.set(retry.map_or("", |retry| retry.name));
    }
}

#[inline]
fn some(at: Timestamp) -> Option<Timestamp> {
    (at != NO_DEADLINE).then_some(at)
}

/// Returns all current values.
pub(crate) fn values() -> Values {
    CURRENT.with(|current| Values {
        deadline: current.deadline(),
        retry: current.retry(),
        priority: current.priority.get(),
        received_attempt: current.received_attempt.get(),
    })
}

/// Makes all policies examine the deadline of a call from now on: until the first deadline of the
/// process, no policy reads the context.
#[inline]
pub(crate) fn expect_deadlines() {
    static DEADLINES: ModeChange = ModeChange::new();
    DEADLINES.expect(mode::start_deadlines);
}

/// Returns the current deadline; `None` while the policies are switched off.
#[inline]
pub(crate) fn deadline() -> Option<Deadline> {
    CURRENT.with(|current| if current.end().is_none() { None } else { enabled(current) })
}

#[cold]
#[inline(never)]
fn enabled(current: &Current) -> Option<Deadline> {
    current.deadline().filter(|_| switch::is_enabled())
}

/// Returns the earlier of two bounds.
#[inline]
pub(crate) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The bound of a wait that cannot be rejected; see `bound_of_wait`.
pub const UNBOUNDED: Timestamp = Timestamp::MAX;

/// Returns the end of a wait for a permit: the earlier of `of_call` and the current deadline, and
/// `None` for [`UNBOUNDED`]. A wait in place of a rejection (`is_patient`) is not part of the
/// attempt, so the timeouts of the attempt do not bound the wait.
pub(crate) fn bound_of_wait(of_call: Option<Timestamp>, is_patient: bool) -> Option<Timestamp> {
    if of_call == Some(UNBOUNDED) {
        return None;
    }
    let end =
        CURRENT.with(|current| if is_patient { current.queue_end() } else { current.at.get() });
    earlier(of_call, some(end).filter(|_| switch::is_enabled()))
}

/// Returns the current deadline, unless a layer of this function set the deadline: that layer ends
/// the call itself.
#[inline]
pub(crate) fn deadline_outside(function: Option<&'static Location<'static>>) -> Option<Timestamp> {
    CURRENT.with(|current| current.end().and_then(|_| at_outside(current, function)))
}

#[cold]
#[inline(never)]
fn at_outside(
    current: &Current,
    function: Option<&'static Location<'static>>,
) -> Option<Timestamp> {
    let is_own = current
        .setter
        .get()
        .is_some_and(|setter| setter.function.is_some() && setter.function == function);
    current.end().filter(|_| !is_own && switch::is_enabled())
}

/// Returns the current deadline if the deadline has passed.
#[inline]
pub(crate) fn passed() -> Option<Deadline> {
    if mode::has_deadlines() && has_deadline() { passed_now() } else { None }
}

/// Returns whether the running code has a deadline, also while the policies are switched off.
#[inline]
pub(crate) fn has_deadline() -> bool {
    CURRENT.with(|current| current.end().is_some())
}

#[cold]
#[inline(never)]
fn passed_now() -> Option<Deadline> {
    deadline().filter(|deadline| deadline.at <= now())
}

/// Returns the call that has set the current deadline.
pub(crate) fn bounded_call() -> Option<BoundedCall> {
    CURRENT.with(|current| current.end().map(|end| BoundedCall { end, call: current.call.get() }))
}

/// Returns the nearest retry outside.
pub(crate) fn outer_retry() -> Option<OuterRetry> {
    CURRENT.with(Current::retry)
}

/// Restores all values.
#[must_use]
pub(crate) struct ValuesGuard {
    _deadline: NamedDeadlineGuard,
    _retry: NamedRetryGuard,
    priority: Option<Priority>,
    received_attempt: u32,
}

/// Replaces all values until the guard is dropped, for a call.
pub(crate) fn replace(new: Values, call: CallId) -> ValuesGuard {
    CURRENT.with(|current| {
        let mut deadline = NamedDeadlineGuard::of(current);
        // The new deadline is another one, also if the times are equal.
        deadline.deadline.patience = Some(current.patience.replace(NO_PATIENCE));
        let guard = ValuesGuard {
            _deadline: deadline,
            _retry: NamedRetryGuard::of(current),
            priority: current.priority.get(),
            received_attempt: current.received_attempt.get(),
        };
        current.set_deadline(new.deadline, call);
        current.set_retry(new.retry);
        current.priority.set(new.priority);
        current.received_attempt.set(new.received_attempt);
        guard
    })
}

impl Drop for ValuesGuard {
    fn drop(&mut self) {
        CURRENT.with(|current| {
            current.priority.set(self.priority);
            current.received_attempt.set(self.received_attempt);
        });
    }
}

/// Restores the deadline.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct DeadlineGuard {
    at: Timestamp,
    setter: Option<&'static Setter>,
    call: CallId,
    /// `None` if the scope does not change the patience.
    patience: Option<Patience>,
}

impl DeadlineGuard {
    #[inline]
    fn of(current: &Current) -> Self {
        Self {
            at: current.at.get(),
            setter: current.setter.get(),
            call: current.call.get(),
            patience: None,
        }
    }
}

/// Sets the deadline until the guard is dropped, unless the current deadline is earlier. In an
/// attempt of a retry that waits for rejections (`is_patient`), the deadline does not bound such a
/// wait.
///
/// A scope starts in each poll, so [`expect_deadlines`] is left to the start of the call.
#[inline]
pub(crate) fn enter_deadline(
    at: Timestamp,
    setter: &'static Setter,
    is_patient: bool,
    call: CallId,
) -> DeadlineGuard {
    CURRENT.with(|current| {
        let mut previous = DeadlineGuard::of(current);
        if at < previous.at {
            if is_patient {
                previous.patience = Some(current.start_patience(at));
            }
            current.at.set(at);
            current.setter.set(Some(setter));
            current.call.set(call);
        }
        previous
    })
}

impl Drop for DeadlineGuard {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|current| {
            current.at.set(self.at);
            current.setter.set(self.setter);
            current.call.set(self.call);
            if let Some(patience) = self.patience {
                current.patience.set(patience);
            }
        });
    }
}

/// Restores the retry.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct AttemptGuard(Attempt);

/// Starts the scope of an attempt of an annotated function.
#[inline]
pub(crate) fn enter_attempt(setter: &'static Setter, word: AttemptWord) -> AttemptGuard {
    CURRENT.with(|current| {
        let previous = current.attempt.get();
        let word = word.inside(previous.word);
        current.attempt.set(Attempt { setter: Some(setter), word });
        AttemptGuard(previous)
    })
}

impl Drop for AttemptGuard {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|current| current.attempt.set(self.0));
    }
}

/// Restores the deadline with its name.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct NamedDeadlineGuard {
    set_by: &'static str,
    deadline: DeadlineGuard,
}

impl NamedDeadlineGuard {
    fn of(current: &Current) -> Self {
        Self { set_by: current.set_by.get(), deadline: DeadlineGuard::of(current) }
    }
}

impl Drop for NamedDeadlineGuard {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set_by.set(self.set_by));
    }
}

/// Restores the retry with its name.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct NamedRetryGuard {
    name: &'static str,
    _attempt: AttemptGuard,
}

impl NamedRetryGuard {
    #[inline]
    fn of(current: &Current) -> Self {
        Self { name: current.retry_name.get(), _attempt: AttemptGuard(current.attempt.get()) }
    }
}

impl Drop for NamedRetryGuard {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|current| current.retry_name.set(self.name));
    }
}

/// Restores the retry, and the deadline of a retry with a deadline.
pub(crate) type NamedGuard = (Option<NamedDeadlineGuard>, NamedRetryGuard);

/// Starts the scope of an attempt of a retry that is no `static`. The deadline applies unless the
/// current deadline is earlier.
#[inline]
pub(crate) fn enter_named(
    at: Option<Timestamp>,
    name: &'static str,
    word: AttemptWord,
) -> NamedGuard {
    let deadline = at.and_then(|at| enter_named_deadline(at, name, false, word.call()));
    let retry = CURRENT.with(|current| {
        let previous = NamedRetryGuard::of(current);
        let word = word.inside(current.attempt.get().word);
        current.attempt.set(Attempt { setter: None, word });
        current.retry_name.set(name);
        previous
    });
    (deadline, retry)
}

/// Sets the deadline as [`enter_deadline`] does, for a setter that is no `static`.
pub(crate) fn enter_named_deadline(
    at: Timestamp,
    set_by: &'static str,
    is_patient: bool,
    call: CallId,
) -> Option<NamedDeadlineGuard> {
    CURRENT.with(|current| {
        if at >= current.at.get() {
            return None;
        }
        let mut guard = NamedDeadlineGuard::of(current);
        if is_patient {
            guard.deadline.patience = Some(current.start_patience(at));
        }
        current.set_deadline(Some(Deadline { at, set_by }), call);
        Some(guard)
    })
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn calls_of_all_threads_have_numbers_of_their_own_from_few_blocks() {
        let take = || (0..CALL_IDS + 10).map(|_| new_call()).collect::<Vec<_>>();
        let threads = [(); 2].map(|()| thread::spawn(take));
        let taken = threads.map(|thread| thread.join().expect("no panic"));
        for calls in &taken {
            let blocks = calls.chunk_by(|call, next| call + 1 == *next).count();
            assert_eq!(blocks, 2);
        }
        let mut all = taken.concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(!all.contains(&NO_CALL));
    }
}
