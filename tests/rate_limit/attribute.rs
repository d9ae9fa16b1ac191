//! `#[rate_limit]` on functions.

use resilience::{RateLimiter, Rejected, RejectedKind, rate_limit, retry, testing};
use tokio::time::Instant;

use crate::{SECOND, ms};

#[rate_limit(rate = 10, burst = 2)]
fn ten_per_second() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn a_burst_and_then_single_calls() {
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!((ten_per_second(), ten_per_second()), (Ok(()), Ok(())));
    clock.advance(ms(30));
    let rejected = ten_per_second().expect_err("too early");
    assert_eq!(rejected.kind(), RejectedKind::RateLimited);
    assert_eq!(rejected.retry_after(), Some(ms(70)));
    assert_eq!(rejected.name(), "rate_limit::attribute::ten_per_second");
    clock.advance(ms(70));
    assert_eq!(ten_per_second(), Ok(()));
    assert!(ten_per_second().is_err());
}

#[tokio::test(start_paused = true)]
async fn waits_within_the_limit() {
    #[rate_limit(rate = 2, per = "1s", wait = "1s")]
    async fn waits() -> Result<(), Rejected> {
        Ok(())
    }
    let start = Instant::now();
    let results = tokio::join!(waits(), waits(), waits(), waits());
    assert_eq!((results.0, results.1, results.2), (Ok(()), Ok(()), Ok(())));
    assert_eq!(start.elapsed(), SECOND);
    assert!(results.3.is_err(), "a second and a half is too long");
}

#[test]
fn a_sync_function_waits_too() {
    #[rate_limit(rate = 1, per = "1m", wait = "2m")]
    fn waits() -> Option<()> {
        Some(())
    }
    let clock = testing::clock();
    assert_eq!((waits(), waits(), waits()), (Some(()), Some(()), Some(())));
    assert_eq!(clock.elapsed(), 120 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_waiting_call_returns_its_permit() {
    #[rate_limit(rate = 1, per = "1s", wait = "10s")]
    async fn waits() -> Result<(), Rejected> {
        Ok(())
    }
    assert_eq!(waits().await, Ok(()));
    assert!(tokio::time::timeout(ms(1), waits()).await.is_err());
    let start = Instant::now();
    assert_eq!(waits().await, Ok(()));
    assert_eq!(start.elapsed(), ms(999));
}

static SHARED: RateLimiter = RateLimiter::new(1, SECOND).name("shared");

#[test]
fn may_be_shared_or_per_key() {
    #[rate_limit(limiter = SHARED)]
    fn shared() -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 1, per = "1h", key = (tenant, 7), max_keys = 10)]
    fn of(tenant: &str) -> Option<()> {
        Some(())
    }
    let clock = testing::clock();
    assert_eq!(shared(), Ok(()));
    assert_eq!(shared().map_err(|rejected| rejected.name()), Err("shared"));
    clock.advance(SECOND);
    assert_eq!(shared(), Ok(()));
    assert_eq!((of("a"), of("b"), of("a")), (Some(()), Some(()), None));
    // A limiter at rest may be evicted for other keys.
    clock.advance(3600 * SECOND);
    let admitted = (0..100).filter(|number| of(&number.to_string()).is_some()).count();
    // Ten keys, and one call for all others.
    assert_eq!(admitted, 11);
}

#[test]
fn numbers_may_be_constants() {
    const RATE: u32 = 1;
    const BURST: u32 = RATE + 1;
    #[rate_limit(rate = RATE, per = SECOND, burst = BURST, error = |rejected| rejected.to_string())]
    fn call() -> Result<(), String> {
        Ok(())
    }
    let _clock = testing::clock();
    assert_eq!((call(), call()), (Ok(()), Ok(())));
    assert!(call().is_err_and(|text| text.ends_with("call: rate limit reached; retry after 1s")));
}

#[test]
fn a_call_of_a_key_takes_its_cost() {
    #[rate_limit(rate = 10, burst = 10, key = tenant, cost = cost)]
    fn spend(tenant: u32, cost: u32) -> Result<u32, Rejected> {
        Ok(tenant)
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!(spend(1, 7), Ok(1));
    assert_eq!(spend(1, 4).expect_err("three permits are left").retry_after(), Some(ms(100)));
    assert_eq!((spend(1, 3), spend(2, 10)), (Ok(1), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn a_patient_retry_waits_in_the_queue_of_its_key() {
    #[retry(attempts = 2, on_rejection = "wait")]
    #[rate_limit(rate = 1, key = tenant)]
    async fn patient(tenant: u32) -> Result<u32, Rejected> {
        Ok(tenant)
    }
    let start = Instant::now();
    let calls = tokio::join!(patient(1), patient(1), patient(1), patient(2));
    assert_eq!(calls, (Ok(1), Ok(1), Ok(1), Ok(2)));
    assert_eq!(start.elapsed(), 2 * SECOND);
}
