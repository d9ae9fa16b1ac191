//! The primitives that are model-checked: those of the standard library, or of loom.

#[cfg(not(resilience_loom))]
pub(crate) use core::sync::atomic::AtomicU64;
#[cfg(not(resilience_loom))]
pub use std::sync::Mutex;
#[cfg(not(resilience_loom))]
pub(crate) use std::sync::{Condvar, MutexGuard};

#[cfg(resilience_loom)]
pub use loom::sync::Mutex;
#[cfg(resilience_loom)]
pub(crate) use loom::sync::{Condvar, MutexGuard, atomic::AtomicU64};

/// A figure that nothing is decided upon, and so is not model-checked.
#[cfg(not(resilience_loom))]
pub(crate) type Tally = AtomicU64;
#[cfg(resilience_loom)]
pub(crate) type Tally = core::sync::atomic::AtomicU64;

/// A `const fn`; under loom, whose primitives are not made in constants, a plain one.
macro_rules! const_fn {
    ($vis:vis fn $($rest:tt)*) => {
        #[cfg(not(resilience_loom))]
        $vis const fn $($rest)*

        #[cfg(resilience_loom)]
        $vis fn $($rest)*
    };
}
pub(crate) use const_fn;

/// Locks; what a thread has left that panicked is as good as what any other leaves, because no
/// user code runs under a lock of ours.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
