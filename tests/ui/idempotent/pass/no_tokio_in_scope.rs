// The caller has no other dependency, and denies every warning.
#![deny(warnings, missing_docs, unused_qualifications)]
//! A crate.

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::idempotent(key = id, scope = (7, "tenant"), lease = "10s", concurrent = "reject", error = |_| 7)]
pub async fn fetch(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

fn main() {
    let waker = std::task::Waker::noop();
    let future = std::pin::pin!(fetch("abc"));
    let poll = future.poll(&mut std::task::Context::from_waker(waker));
    assert_eq!(poll, std::task::Poll::Ready(Ok(3)));
}
