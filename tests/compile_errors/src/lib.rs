//! Callers that must compile without a warning, in a crate whose only dependency is `resilience`.
#![deny(warnings, missing_docs, unused_qualifications)]
#![allow(clippy::unused_async, reason = "the attributes read `async`, the bodies do not wait")]
#![allow(
    clippy::result_unit_err,
    clippy::missing_panics_doc,
    reason = "short functions, of which only the signature matters"
)]

pub mod every_attribute;
pub mod limits_that_act;
pub mod reexported;
pub mod renamed;
pub mod shared_breaker;
pub mod stores;
pub mod words;

/// Returns the output of a future that does not wait.
#[cfg(test)]
fn ready<F: Future>(future: F) -> F::Output {
    let waker = std::task::Waker::noop();
    let poll = std::pin::pin!(future).poll(&mut std::task::Context::from_waker(waker));
    let std::task::Poll::Ready(output) = poll else { panic!("the future waits") };
    output
}
