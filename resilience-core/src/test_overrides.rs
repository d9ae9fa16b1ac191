//! What a test has replaced on its thread: a stack of entries, of which each guard owns one.
//!
//! A guard takes its mine entry away, wherever that is by then, so that guards may be dropped in any
//! order. The topmost entry that has an answer gives it.

use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::cell::RefCell;

use crate::clock::Timestamp;
use crate::random::Source;

/// What one guard replaces.
#[derive(Debug)]
pub(crate) enum Override {
    /// The clock; waits advance it.
    Clock(Timestamp),
    /// WaitMode pass at once.
    NoWaits,
    /// The draws of jitter.
    Draws(Source),
    /// The state of functions, by the address of what it stands in for.
    State(Vec<(usize, &'static dyn Any)>),
}

/// The right to one entry.
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

/// How many entries there are in the process: none, outside tests.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Whether no thread has replaced anything.
#[inline]
pub(crate) fn none_active() -> bool {
    ACTIVE.load(Relaxed) == 0
}

/// Puts a entry on top.
pub(crate) fn push(entry: Override) -> OverrideId {
    ACTIVE.fetch_add(1, Relaxed);
    with_stack(|stack| {
        let id = stack.next;
        stack.next += 1;
        stack.entries.push((OverrideId(id), entry));
        OverrideId(id)
    })
    .unwrap_or(OverrideId(u64::MAX))
}

/// Takes a entry away.
pub(crate) fn remove(id: &OverrideId) {
    ACTIVE.fetch_sub(1, Relaxed);
    with_stack(|stack| stack.entries.retain(|(other, _)| other != id));
}

/// Looks at the entry of a guard.
pub(crate) fn with<T>(id: &OverrideId, answer: impl Fn(&mut Override) -> Option<T>) -> Option<T> {
    with_stack(|stack| {
        let mut mine = stack.entries.iter_mut().filter(|(other, _)| other == id);
        mine.find_map(|(_, entry)| answer(entry))
    })?
}

/// The first answer, from the top down.
#[inline]
pub(crate) fn find<T>(answer: impl Fn(&mut Override) -> Option<T>) -> Option<T> {
    if none_active() {
        return None;
    }
    with_stack(|stack| stack.entries.iter_mut().rev().find_map(|(_, entry)| answer(entry)))?
}

/// A thread that is ending has nothing replaced any more.
fn with_stack<T>(run: impl FnOnce(&mut Stack) -> T) -> Option<T> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| run(&mut stack))).ok()?
}
