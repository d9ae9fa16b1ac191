//! A deadline outside ends the wait for a permit.

use std::time::Duration;

use resilience::{Bulkhead, Rejected, RejectedKind, bulkhead, retry, testing};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn the_wait_ends_at_the_deadline() {
    #[retry(attempts = 3, deadline = "5s")]
    #[bulkhead(max = 1, queue = 10)]
    async fn call(takes: Duration) -> Result<(), Rejected> {
        sleep(takes).await;
        Ok(())
    }
    let start = Instant::now();
    let late = async {
        sleep(Duration::from_secs(1)).await;
        let rejected = call(Duration::ZERO).await.expect_err("no permit in time");
        (rejected.kind(), start.elapsed())
    };
    let (long, late) = tokio::join!(call(Duration::from_secs(60)), late);
    assert_eq!(long, Ok(()));
    assert_eq!(late, (RejectedKind::BulkheadFull, Duration::from_secs(6)));
}

#[test]
fn a_blocked_wait_ends_at_the_deadline() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).wait(Duration::from_secs(60));
    #[retry(attempts = 3, deadline = "5s")]
    #[bulkhead(bulkhead = BULKHEAD)]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    let _permit = BULKHEAD.try_acquire().expect("the first");
    assert!(call().is_err());
    assert_eq!(clock.elapsed(), Duration::from_secs(5));
}
