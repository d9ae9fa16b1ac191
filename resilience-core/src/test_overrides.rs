//! The overrides of a thread in tests: a stack of entries, one per guard.
//!
//! A guard removes its own entry wherever the entry is, so guards can be dropped in any order. The
//! topmost entry with an answer wins.

use core::any::Any;
use std::cell::RefCell;

use crate::clock::Timestamp;
use crate::mode;
use crate::random::Source;

/// The override of one guard.
#[derive(Debug)]
pub(crate) enum Override {
    /// The clock; waits advance the time.
    Clock(Timestamp),
    /// Waits end at once.
    NoWaits,
    /// The draws of jitter.
    Draws(Source),
    /// The state of functions, by the address of the original.
    State(Vec<(usize, &'static dyn Any)>),
}

/// Identifies an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OverrideId(u64);

#[derive(Debug)]
struct Stack {
    entries: Vec<(OverrideId, Override)>,
    next: u64,
}

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack { entries: Vec::new(), next: 0 }) };
}

/// Returns whether no thread has an override.
#[inline]
pub(crate) fn none_active() -> bool {
    mode::has_no_override()
}

/// Pushes an entry onto the stack.
pub(crate) fn push(entry: Override) -> OverrideId {
    mode::add_override();
    with_stack(|stack| {
        let id = stack.next;
        stack.next += 1;
        stack.entries.push((OverrideId(id), entry));
        OverrideId(id)
    })
    .unwrap_or(OverrideId(u64::MAX))
}

/// Removes an entry.
pub(crate) fn remove(id: &OverrideId) {
    mode::remove_override();
    with_stack(|stack| stack.entries.retain(|(other, _)| other != id));
}

/// Accesses the entry of a guard.
pub(crate) fn with<T>(id: &OverrideId, answer: impl Fn(&mut Override) -> Option<T>) -> Option<T> {
    with_stack(|stack| {
        let mut mine = stack.entries.iter_mut().filter(|(other, _)| other == id);
        mine.find_map(|(_, entry)| answer(entry))
    })?
}

/// Returns the first answer, from the top down.
#[inline]
pub(crate) fn find<T>(answer: impl Fn(&mut Override) -> Option<T>) -> Option<T> {
    if none_active() {
        return None;
    }
    with_stack(|stack| stack.entries.iter_mut().rev().find_map(|(_, entry)| answer(entry)))?
}

/// Accesses the stack; `None` while the thread ends.
fn with_stack<T>(run: impl FnOnce(&mut Stack) -> T) -> Option<T> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| run(&mut stack))).ok()?
}
