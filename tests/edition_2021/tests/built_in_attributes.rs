//! Built-in attributes that need `unsafe`, between two layers: the retry above knows the rejection
//! of the breaker below, although the error type does not carry the rejection.

use std::cell::Cell;

use resilience::{CircuitBreaker, Rejected, circuit_breaker, retry, testing};

#[derive(Debug, PartialEq)]
pub struct Opaque;

impl From<Rejected> for Opaque {
    fn from(_: Rejected) -> Self {
        Opaque
    }
}

static OPEN: CircuitBreaker = CircuitBreaker::new();

#[cfg(target_os = "linux")]
#[retry(attempts = 5, on_retry = |_| retries.set(retries.get() + 1))]
#[unsafe(link_section = ".text.resilience_test")]
#[circuit_breaker(breaker = OPEN)]
fn link_section(retries: &Cell<u32>) -> Result<(), Opaque> {
    retries.set(100);
    Ok(())
}

#[retry(attempts = 5, on_retry = |_| retries.set(retries.get() + 1))]
#[unsafe(export_name = "resilience_export_name")]
#[circuit_breaker(breaker = OPEN)]
fn export_name(retries: &Cell<u32>) -> Result<(), Opaque> {
    retries.set(100);
    Ok(())
}

#[retry(attempts = 5, on_retry = |_| retries.set(retries.get() + 1))]
#[no_mangle]
#[circuit_breaker(breaker = OPEN)]
fn resilience_no_mangle(retries: &Cell<u32>) -> Result<(), Opaque> {
    retries.set(100);
    Ok(())
}

#[cfg(target_arch = "x86_64")]
#[retry(attempts = 5, on_retry = |_| retries.set(retries.get() + 1))]
#[target_feature(enable = "sse2")]
#[circuit_breaker(breaker = OPEN)]
unsafe fn target_feature(retries: &Cell<u32>) -> Result<(), Opaque> {
    retries.set(100);
    Ok(())
}

#[test]
fn the_layers_exchange_rejections() {
    let _guard = testing::no_waits();
    OPEN.force_open();
    let retries = Cell::new(0);
    #[cfg(target_os = "linux")]
    assert_eq!(link_section(&retries), Err(Opaque));
    assert_eq!(export_name(&retries), Err(Opaque));
    assert_eq!(resilience_no_mangle(&retries), Err(Opaque));
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86_64 processor has SSE2.
    assert_eq!(unsafe { target_feature(&retries) }, Err(Opaque));
    assert_eq!(retries.get(), 0);
}
