//! Parts of a breaker's state in memory of their own, allocated at the first change: a table of
//! keys has many breakers whose parts never change.

use core::ops::Deref;

/// A type with an initial value.
pub(super) trait Initial: Sized + 'static {
    /// The initial value.
    const NEW: Self;
    /// The initial value of a part without memory of its own.
    const SHARED: &'static Self;
}

/// A value in memory of its own, unless the value is still the initial one.
#[derive(Debug)]
pub(super) struct OnDemand<T>(Option<Box<T>>);

impl<T: Initial> OnDemand<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Returns the value for a change; `None` for the initial value.
    pub(super) fn changed(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Returns the value for a change. Allocates the memory.
    pub(super) fn change(&mut self) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(T::NEW))
    }
}

impl<T: Initial> Deref for OnDemand<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::SHARED)
    }
}
