//! What holds for every attribute of the family, once for each: the shapes of function it goes on,
//! hygiene, `Send`, and what the caller's lints say.
//!
//! A new attribute is one line here. `failures` is how often a body may fail before it succeeds
//! without the caller noticing.
#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    single_use_lifetimes,
    clippy::pedantic,
    clippy::nursery
)]

#[macro_use]
mod hygiene;
#[macro_use]
mod shapes;

macro_rules! attributes {
    ($($name:ident: #[$attribute:meta], failures = $failures:expr;)*) => {$(
        mod $name {
            shapes!(#[$attribute], $failures);
            hygiene!(#[$attribute], $failures);
        }
    )*};
}

attributes! {
    retry: #[::resilience::retry(attempts = 3, base_delay = "1ms")], failures = 2;
}
