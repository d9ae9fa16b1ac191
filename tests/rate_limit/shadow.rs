//! Shadow mode: the limiter decides and counts, and every call runs.

use resilience::context::Context;
use resilience::{RateLimiter, rate_limit, testing};
use tokio::time::Instant;

use crate::SECOND;

#[tokio::test(start_paused = true)]
async fn all_calls_run_at_once_and_rejections_are_counted() {
    let limiter = RateLimiter::new(1, SECOND).burst(2).wait(2 * SECOND).shadow();
    let start = Instant::now();
    for _ in 0..10 {
        limiter.acquire().await.expect("shadow mode");
    }
    // Two in the burst, two would wait, six would be rejected.
    assert_eq!((start.elapsed().as_secs(), limiter.shadow_rejections()), (0, 6));
    limiter.acquire_blocking().expect("shadow mode");
    limiter.try_acquire().expect("shadow mode");
    assert!(limiter.reserve().expect("shadow mode").delay().is_zero());
    assert_eq!(limiter.shadow_rejections(), 9);
    tokio::time::advance(10 * SECOND).await;
    limiter.acquire().await.expect("at rest");
    assert_eq!(limiter.shadow_rejections(), 9);
}

#[test]
fn the_attribute_has_a_shadow_mode() {
    #[rate_limit(rate = 1, per = "1h", shadow)]
    fn shadow() -> Option<()> {
        Some(())
    }
    #[rate_limit(rate = 1, per = "1h", shadow = false)]
    fn enforced() -> Option<()> {
        Some(())
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!((shadow(), shadow(), enforced(), enforced()), (Some(()), Some(()), Some(()), None));
}

#[tokio::test(start_paused = true)]
async fn a_call_after_its_deadline_runs() {
    let limiter = RateLimiter::new(1, SECOND).wait(SECOND).shadow();
    let late = Context::new().deadline(SECOND, "caller");
    tokio::time::advance(2 * SECOND).await;
    for _ in 0..4 {
        late.scope(limiter.acquire()).await.expect("shadow mode");
        late.run(|| limiter.try_acquire()).expect("shadow mode");
    }
}
