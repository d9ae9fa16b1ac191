//! The state of an annotated function, in a `static`, and the overrides of tests.

use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::mode;
use crate::registry::{Policy, list_static};
use crate::test_overrides::{Override, find, none_active};

/// State that a test can reset.
pub trait TestReset: Any + Sync + Sized {
    /// Returns a copy in the initial state.
    #[must_use]
    fn fresh(&self) -> Self;
}

static EVER_OVERRIDDEN: AtomicBool = AtomicBool::new(false);

/// Returns whether a test of this process has asked for fresh state.
pub(crate) fn is_ever_overridden() -> bool {
    EVER_OVERRIDDEN.load(Relaxed)
}

/// Records that a test asks for fresh state.
pub(crate) fn start_overriding() {
    EVER_OVERRIDDEN.store(true, Relaxed);
}

/// Returns the state of the function, or the override of this thread.
#[inline]
pub fn resolve<T: TestReset>(state: &'static T) -> &'static T {
    if none_active() { state } else { override_of(state) }
}

/// Returns the policy of the function, or the override of this thread. Lists the policy, unless the
/// process is in its normal mode.
#[inline]
pub fn resolve_policy<T: TestReset + Policy>(policy: &'static T) -> &'static T {
    if mode::has_plain_state() { policy } else { resolve_listed(policy) }
}

#[cold]
fn resolve_listed<T: TestReset + Policy>(policy: &'static T) -> &'static T {
    list_static(policy);
    resolve(policy)
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
        // A call may hold the state longer than the guard lives, so the memory is never freed.
        let new: &'static T = Box::leak(Box::new(state.fresh()));
        known.push((address, new));
        Some(new)
    });
    found.unwrap_or(state)
}
