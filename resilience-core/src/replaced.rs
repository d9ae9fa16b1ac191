//! What a test has replaced on its thread: a stack of layers, of which each guard owns one.
//!
//! A guard takes its own layer away, wherever that is by then, so that guards may be dropped in any
//! order. The topmost layer that has an answer gives it.

use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::cell::RefCell;

use crate::clock::Timestamp;
use crate::random::Source;

/// What one guard replaces.
#[derive(Debug)]
pub(crate) enum Layer {
    /// The clock; waits advance it.
    Clock(Timestamp),
    /// WaitMode pass at once.
    NoWaits,
    /// The draws of jitter.
    Draws(Source),
    /// The state of functions, by the address of what it stands in for.
    State(Vec<(usize, &'static dyn Any)>),
}

/// The right to one layer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

#[derive(Debug)]
struct Stack {
    layers: Vec<(Key, Layer)>,
    next: u64,
}

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack { layers: Vec::new(), next: 0 }) };
}

/// How many layers there are in the process: none, outside tests.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

/// Whether no thread has replaced anything.
#[inline]
pub(crate) fn is_untouched() -> bool {
    LAYERS.load(Relaxed) == 0
}

/// Puts a layer on top.
pub(crate) fn push(layer: Layer) -> Key {
    LAYERS.fetch_add(1, Relaxed);
    with(|stack| {
        let key = stack.next;
        stack.next += 1;
        stack.layers.push((Key(key), layer));
        Key(key)
    })
    .unwrap_or(Key(u64::MAX))
}

/// Takes a layer away.
pub(crate) fn remove(key: &Key) {
    LAYERS.fetch_sub(1, Relaxed);
    with(|stack| stack.layers.retain(|(other, _)| other != key));
}

/// Looks at the layer of a guard.
pub(crate) fn look<T>(key: &Key, answer: impl Fn(&mut Layer) -> Option<T>) -> Option<T> {
    with(|stack| {
        let mut own = stack.layers.iter_mut().filter(|(other, _)| other == key);
        own.find_map(|(_, layer)| answer(layer))
    })?
}

/// The first answer, from the top down.
#[inline]
pub(crate) fn ask<T>(answer: impl Fn(&mut Layer) -> Option<T>) -> Option<T> {
    if is_untouched() {
        return None;
    }
    with(|stack| stack.layers.iter_mut().rev().find_map(|(_, layer)| answer(layer)))?
}

/// A thread that is ending has nothing replaced any more.
fn with<T>(run: impl FnOnce(&mut Stack) -> T) -> Option<T> {
    STACK.try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| run(&mut stack))).ok()?
}
