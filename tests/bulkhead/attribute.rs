//! `#[bulkhead]` on functions.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use resilience::{Bulkhead, Rejected, RejectedKind, bulkhead, testing};
use tokio::time::{Instant, sleep};

use crate::ms;

#[bulkhead(max = 2)]
async fn two(time: u64) -> Result<u64, Rejected> {
    sleep(ms(time)).await;
    Ok(time)
}

#[tokio::test(start_paused = true)]
async fn rejects_calls_above_the_maximum() {
    let (one, other, third) = tokio::join!(two(10), two(20), two(30));
    assert_eq!((one, other), (Ok(10), Ok(20)));
    let rejected = third.expect_err("two are running");
    assert_eq!(rejected.kind(), RejectedKind::BulkheadFull);
    assert_eq!(rejected.to_string(), "bulkhead::attribute::two: bulkhead full");
    assert_eq!(two(1).await, Ok(1), "the permits are back");
}

#[bulkhead(max = 1, queue = 1, wait = "50ms", name = "queue")]
async fn queued(time: u64) -> Result<u64, Rejected> {
    sleep(ms(time)).await;
    Ok(time)
}

#[tokio::test(start_paused = true)]
async fn lets_calls_wait_in_the_queue() {
    let start = Instant::now();
    let (one, other, third) = tokio::join!(queued(40), queued(10), queued(1));
    assert_eq!((one, other), (Ok(40), Ok(10)));
    assert_eq!(third.map_err(|rejected| rejected.name()), Err("queue"));
    assert_eq!(start.elapsed(), ms(50));
    let (one, other) = tokio::join!(queued(60), queued(1));
    assert!(one.is_ok() && other.is_err(), "51 ms are too long");
}

#[test]
fn works_on_sync_functions_and_returns_the_permit_after_a_panic() {
    #[bulkhead(max = 1)]
    fn sync(depth: u32) -> Result<u32, Rejected> {
        assert!(depth < 10, "deep");
        if depth == 0 { Ok(0) } else { sync(depth - 1) }
    }
    assert_eq!(sync(0), Ok(0));
    assert!(sync(1).is_err(), "the outer call holds the only permit");
    assert!(catch_unwind(AssertUnwindSafe(|| sync(10))).is_err());
    assert_eq!(sync(0), Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_returns_its_permit() {
    #[bulkhead(max = 1)]
    async fn one() -> Result<(), Rejected> {
        sleep(ms(100)).await;
        Ok(())
    }
    assert!(tokio::time::timeout(ms(1), one()).await.is_err());
    assert_eq!(one().await, Ok(()));
}

static SHARED: Bulkhead = Bulkhead::new(1).name("shared");

#[tokio::test(start_paused = true)]
async fn may_be_shared_or_per_key() {
    #[bulkhead(bulkhead = SHARED)]
    async fn shared() -> Option<()> {
        sleep(ms(1)).await;
        Some(())
    }
    #[bulkhead(max = 1, key = tenant)]
    async fn of(tenant: &str) -> Option<()> {
        sleep(ms(1)).await;
        Some(())
    }
    let permit = SHARED.try_acquire();
    assert_eq!(shared().await, None);
    drop(permit);
    assert_eq!(shared().await, Some(()));
    let calls = tokio::join!(of("a"), of("b"), of("a"));
    assert_eq!(calls, (Some(()), Some(()), None));
}

#[test]
fn numbers_may_be_constants() {
    const MAX: u32 = 1;
    #[bulkhead(max = MAX, queue = MAX, wait = ms(5), error = |_| calls.get())]
    fn call(calls: &Cell<u32>) -> Result<(), u32> {
        calls.set(calls.get() + 1);
        if calls.get() == 1 { call(calls) } else { Ok(()) }
    }
    let _clock = testing::clock();
    assert_eq!(call(&Cell::new(0)), Err(1));
}
