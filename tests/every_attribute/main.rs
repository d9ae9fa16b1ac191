//! What holds for every attribute of the family, once for each: the shapes of function it goes on,
//! hygiene, and `Send`.
#![deny(warnings, unused_qualifications)]
#![allow(
    clippy::absurd_extreme_comparisons,
    clippy::boxed_local,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unused_async,
    reason = "shapes that people write, whatever clippy thinks of them; `lints.rs` has the lints"
)]

#[macro_use]
mod async_shapes;
#[macro_use]
mod hygiene;
#[macro_use]
mod shapes;

macro_rules! suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            shapes!(#[$attribute], $failures);
            async_shapes!(#[$attribute], $failures);
            hygiene!(#[$attribute], $failures);
            local_errors!(#[$attribute]);
        }
    };
}

/// For one whose futures hold the outcome while they wait.
macro_rules! holding_suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            shapes!(#[$attribute], $failures);
            async_shapes!(#[$attribute], $failures);
            hygiene!(#[$attribute], $failures);
        }
    };
}

/// For one that async functions only can have.
macro_rules! async_suites {
    ($name:ident, #[$attribute:meta], $failures:expr) => {
        mod $name {
            async_shapes!(#[$attribute], $failures);
            async_hygiene!(#[$attribute], $failures);
            local_errors!(#[$attribute]);
        }
    };
}

include!("attributes.rs");

/// A key that no other call has.
fn fresh_key() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
