// The caller has no other dependency, and denies every warning.
#![deny(warnings, missing_docs, unused_qualifications)]
//! A crate.

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::rate_limit(rate = 100, per = "1m", burst = 20, wait = "100ms", error = |_| 7)]
pub async fn fetch(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

fn main() {
    let waker = std::task::Waker::noop();
    let future = std::pin::pin!(fetch("abc"));
    let poll = future.poll(&mut std::task::Context::from_waker(waker));
    assert_eq!(poll, std::task::Poll::Ready(Ok(3)));
}
