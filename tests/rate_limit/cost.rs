//! Calls of several permits, and corrections of the cost after the call.

use std::sync::Arc;
use std::time::Duration;

use resilience::{RateLimiter, Rejected, RejectedKind, bulkhead, rate_limit, testing};
use tokio::time::Instant;

use crate::{SECOND, left, ms};

#[test]
fn a_cost_takes_its_number_of_permits() {
    let limiter = RateLimiter::new(10, SECOND).burst(10);
    let clock = testing::clock();
    limiter.try_acquire_many(7).expect("within the burst");
    assert_eq!(limiter.available(), 3);
    assert_eq!(left(limiter.try_acquire_many(4)), Some(ms(100)));
    limiter.try_acquire_many(3).expect("the rest");
    limiter.try_acquire_many(0).expect("nothing");
    assert_eq!(left(limiter.try_acquire_many(10)), Some(SECOND));
    clock.advance(SECOND);
    limiter.try_acquire_many(10).expect("after a rest");
}

#[test]
fn a_cost_above_the_burst_is_impossible_without_a_wait() {
    let limiter = RateLimiter::new(10, SECOND).burst(10);
    let _clock = testing::clock();
    let rejected = limiter.try_acquire_many(11).expect_err("above the burst");
    assert_eq!((rejected.kind(), rejected.retry_after()), (RejectedKind::RateLimited, None));
    let limiter = limiter.wait(ms(500));
    limiter.acquire_many_blocking(15).expect("five more permits in half a second");
    assert_eq!(limiter.acquire_many_blocking(u32::MAX).expect_err("never").retry_after(), None);
}

#[tokio::test(start_paused = true)]
async fn an_expensive_call_waits_for_all_of_its_permits_and_is_not_overtaken() {
    let limiter = RateLimiter::new(10, SECOND).burst(10).wait(60 * SECOND);
    limiter.try_acquire_many(10).expect("the burst");
    let start = Instant::now();
    let call = |cost| {
        let limiter = &limiter;
        async move {
            limiter.acquire_many(cost).await.expect("its turn");
            start.elapsed().as_millis()
        }
    };
    let turns = tokio::join!(call(5), call(20), call(1), call(1));
    assert_eq!(turns, (500, 2500, 2600, 2700));
}

#[test]
fn settling_returns_unused_permits_and_takes_missing_permits() {
    let limiter = RateLimiter::new(10, SECOND).burst(10);
    let clock = testing::clock();
    limiter.try_acquire_many(8).expect("within the burst");
    limiter.settle(8, 3);
    assert_eq!(limiter.available(), 7);
    limiter.settle(3, 3);
    limiter.settle(3, 23);
    assert_eq!((limiter.available(), left(limiter.try_acquire())), (0, Some(ms(1400))));
    // A debt of an hour is no clock that went back.
    limiter.settle(0, 36_000);
    clock.advance(3500 * SECOND);
    assert_eq!(limiter.available(), 0);
    clock.advance(200 * SECOND);
    assert_eq!(limiter.available(), 10);
    // A refund at rest gives no more than a burst.
    limiter.settle(1000, 0);
    assert_eq!(limiter.available(), 10);
}

#[tokio::test(start_paused = true)]
async fn settling_moves_waiting_calls() {
    let limiter = Arc::new(RateLimiter::new(1, SECOND).wait(100 * SECOND));
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                limiter.acquire().await.expect("its turn");
                start.elapsed().as_millis()
            })
        })
        .collect();
    tokio::time::sleep(ms(100)).await;
    limiter.settle(1, 3);
    tokio::time::sleep(ms(1400)).await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    limiter.settle(2, 1);
    let mut turns = Vec::new();
    for call in waiting {
        turns.push(call.await.expect("no panic"));
    }
    assert_eq!(turns, [2000, 3000, 4000]);
}

#[tokio::test(start_paused = true)]
async fn an_owned_permit_travels_into_a_task() {
    let limiter = Arc::new(RateLimiter::new(10, SECOND).burst(10).wait(SECOND));
    let permit = Arc::clone(&limiter).acquire_owned(9).await.expect("within the burst");
    assert_eq!((permit.cost(), limiter.available()), (9, 1));
    tokio::spawn(async move { permit.settle(4) }).await.expect("no panic");
    assert_eq!(limiter.available(), 6);
    assert!(Arc::clone(&limiter).try_acquire_owned(7).is_err());
    drop(Arc::clone(&limiter).try_acquire_owned(6).expect("the rest"));
    assert_eq!(limiter.available(), 0, "a dropped permit was used");
}

struct Request {
    tokens: u32,
}

#[test]
fn the_attribute_takes_and_settles_the_cost() {
    #[rate_limit(
        rate = 100, per = "1m", burst = 50,
        cost = request.tokens,
        settle = |answer: &Result<u32, Rejected>| *answer.as_ref().unwrap_or(&0)
    )]
    fn complete(request: &Request, used: u32) -> Result<u32, Rejected> {
        if used == 0 { Err(Rejected::timed_out("upstream", SECOND)) } else { Ok(used) }
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!(complete(&Request { tokens: 40 }, 10), Ok(10));
    assert!(complete(&Request { tokens: 40 }, 0).is_err());
    assert_eq!(complete(&Request { tokens: 40 }, 45), Ok(45));
    // 10 + 0 + 45 of 50 are used: a debt of 5.
    let rejected = complete(&Request { tokens: 1 }, 1).expect_err("used up");
    assert_eq!(rejected.retry_after(), Some(Duration::from_millis(3600)));
}

#[tokio::test(start_paused = true)]
async fn the_attribute_waits_for_the_cost() {
    #[rate_limit(rate = 10, burst = 10, wait = "5s", cost = cost * 2)]
    async fn call(cost: u32) -> Result<(), Rejected> {
        Ok(())
    }
    let start = Instant::now();
    assert_eq!((call(5).await, call(10).await), (Ok(()), Ok(())));
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[test]
fn the_second_limit_returns_what_the_first_took() {
    #[rate_limit(rate = 5, per = "1h", burst = 5, name = "hourly")]
    #[rate_limit(rate = 1, per = "1s", name = "spacing")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!(call(), Ok(()));
    for _ in 0..100 {
        assert_eq!(call().expect_err("too early").name(), "spacing");
    }
    for _ in 0..4 {
        clock.advance(SECOND);
        assert_eq!(call(), Ok(()));
    }
    clock.advance(SECOND);
    assert_eq!(call().expect_err("used up").name(), "hourly");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_bulkhead_below_rejects_costs_nothing() {
    #[rate_limit(rate = 2, per = "1h", burst = 2)]
    #[bulkhead(max = 1)]
    async fn call() -> Result<(), Rejected> {
        tokio::time::sleep(SECOND).await;
        Ok(())
    }
    let (first, second) = tokio::join!(call(), call());
    assert_eq!(first, Ok(()));
    assert_eq!(second.expect_err("full").kind(), RejectedKind::BulkheadFull);
    assert_eq!(call().await, Ok(()));
    assert_eq!(call().await.expect_err("used up").kind(), RejectedKind::RateLimited);
}

/// A rejection by an inner function is an outcome of the body, which ran.
#[test]
fn a_rejection_inside_the_body_keeps_its_cost() {
    #[rate_limit(rate = 2, per = "1h", burst = 2)]
    fn call() -> Result<(), Rejected> {
        Err(Rejected::new(RejectedKind::BulkheadFull, "inner", None))
    }
    let (_clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!(
        (call().map_err(|r| r.kind()), call().map_err(|r| r.kind())),
        (Err(RejectedKind::BulkheadFull), Err(RejectedKind::BulkheadFull))
    );
    assert_eq!(call().expect_err("used up").kind(), RejectedKind::RateLimited);
}
