//! The state that an annotated function has of its own, in a `static`, and its stand-in under test.

use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::replaced::{Layer, ask, is_untouched};

/// State that can be made anew.
pub trait TestReset: Any + Sync + Sized {
    /// The same, as it was at the start of the process.
    fn fresh(&self) -> Self;
}

static EVER_REPLACED: AtomicBool = AtomicBool::new(false);

/// Whether a test has ever asked for fresh state in this process.
pub(crate) fn is_ever_replaced() -> bool {
    EVER_REPLACED.load(Relaxed)
}

/// A test asks for fresh state; returns whether it is the first.
pub(crate) fn expect_replacing() -> bool {
    !EVER_REPLACED.swap(true, Relaxed)
}

/// The function's own state, or this thread's stand-in for it.
#[inline]
pub fn resolve<T: TestReset>(state: &'static T) -> &'static T {
    if is_untouched() { state } else { override_of(state) }
}

#[cold]
fn override_of<T: TestReset>(state: &'static T) -> &'static T {
    let address = core::ptr::from_ref(state).addr();
    let found = ask(|layer| {
        let Layer::State(known) = layer else { return None };
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
