//! The model-checked primitives: from the standard library, or from loom.

#[cfg(not(resilience_loom))]
pub(crate) use core::sync::atomic::{AtomicU64, fence};
#[cfg(not(resilience_loom))]
pub use std::sync::Mutex;
#[cfg(not(resilience_loom))]
pub(crate) use std::sync::{Condvar, MutexGuard};

#[cfg(resilience_loom)]
pub use loom::sync::Mutex;
#[cfg(resilience_loom)]
pub(crate) use loom::sync::{
    Condvar, MutexGuard,
    atomic::{AtomicU64, fence},
};

/// A counter for statistics. No decision depends on the value, so loom does not check the counter.
#[cfg(not(resilience_loom))]
pub(crate) type Tally = AtomicU64;
#[cfg(resilience_loom)]
pub(crate) type Tally = core::sync::atomic::AtomicU64;

/// Defines a `const fn`, or a plain function under loom, where primitives have no const
/// constructor.
macro_rules! const_fn {
    ($(#[$attribute:meta])* $vis:vis fn $($rest:tt)*) => {
        $(#[$attribute])*
        #[cfg(not(resilience_loom))]
        $vis const fn $($rest)*

        $(#[$attribute])*
        #[cfg(resilience_loom)]
        $vis fn $($rest)*
    };
}
pub(crate) use const_fn;

/// Locks a mutex and ignores poisoning: no user code runs under these locks, so the state is valid
/// after a panic.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
