//! The suites of `tests/every_attribute` in edition 2021.
#![deny(warnings)]
#![allow(
    clippy::absurd_extreme_comparisons,
    clippy::boxed_local,
    clippy::too_many_arguments,
    reason = "shapes of user code"
)]

#[macro_use]
#[path = "../../../every_attribute/async_shapes.rs"]
mod async_shapes;
#[macro_use]
#[path = "../../../every_attribute/hygiene.rs"]
mod hygiene;
#[macro_use]
#[path = "../../../every_attribute/shapes.rs"]
mod shapes;
#[macro_use]
#[path = "../../../every_attribute/shared_shapes.rs"]
mod shared_shapes;
#[macro_use]
mod unsafe_shapes;

macro_rules! suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            shapes!(#[$attribute], $failures);
            async_shapes!(#[$attribute], $failures);
            hygiene!(#[$attribute], $failures);
            unsafe_shapes!(#[$attribute], $failures);
            local_errors!(#[$attribute]);
        }
    };
}

/// For an attribute whose future holds the outcome across an `await`.
macro_rules! holding_suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            shapes!(#[$attribute], $failures);
            async_shapes!(#[$attribute], $failures);
            hygiene!(#[$attribute], $failures);
            unsafe_shapes!(#[$attribute], $failures);
        }
    };
}

/// For an attribute that clones and keeps outcomes. `tests/coalesce` has the shapes of functions.
macro_rules! shared_suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            hygiene!(#[$attribute], $failures);
        }
    };
}

/// For an attribute of async functions only.
macro_rules! async_suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            async_shapes!(#[$attribute], $failures);
            async_hygiene!(#[$attribute], $failures);
            local_errors!(#[$attribute]);
        }
    };
}

/// For an attribute of async functions that lends the arguments to several attempts at once.
macro_rules! shared_async_suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            shared_shapes!(#[$attribute], $failures);
            async_hygiene!(#[$attribute], $failures);
        }
    };
}

include!("../../../every_attribute/attributes.rs");

/// Returns a unique key.
fn fresh_key() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
