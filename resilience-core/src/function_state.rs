//! The state that an annotated function has of its own, in a `static`, and its stand-in under test.

use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::test_overrides::{Override, find, none_active};

/// State that can be made anew.
pub trait TestReset: Any + Sync + Sized {
    /// The same, as it was at the start of the process.
    fn fresh(&self) -> Self;
}

static EVER_OVERRIDDEN: AtomicBool = AtomicBool::new(false);

/// Whether a test has ever asked for fresh state in this process.
pub(crate) fn is_ever_overridden() -> bool {
    EVER_OVERRIDDEN.load(Relaxed)
}

/// A test asks for fresh state; returns whether it is the first.
pub(crate) fn start_overriding() -> bool {
    !EVER_OVERRIDDEN.swap(true, Relaxed)
}

/// The function's own state, or this thread's stand-in for it.
#[inline]
pub fn resolve<T: TestReset>(state: &'static T) -> &'static T {
    if none_active() { state } else { override_of(state) }
}

#[cold]
fn override_of<T: TestReset>(state: &'static T) -> &'static T {
    let address = core::ptr::from_ref(state).addr();
    let found = find(|entry| {
        let Override::State(known) = entry else { return None };
        let of_state = |(other, _): &&(usize, &'static dyn Any)| *other == address;
        if let Some((_, known)) = known.iter().find(of_state) {
            return known.downcast_ref::<T>();
        }
        // Calls hold it for as long as they like, also beyond the guard: it is never freed.
        let new: &'static T = Box::leak(Box::new(state.fresh()));
        known.push((address, new));
        Some(new)
    });
    found.unwrap_or(state)
}
