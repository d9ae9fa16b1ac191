//! The wait for a permit.

use std::time::Duration;

use resilience::{Bulkhead, testing};
use tokio::time::{Instant, advance, sleep};

use crate::{Waiter, is_full, ms};

#[tokio::test(start_paused = true)]
async fn a_wait_is_bounded() {
    let bulkhead = Bulkhead::new(1).wait(ms(100));
    let permit = bulkhead.try_acquire().expect("the first");
    let start = Instant::now();
    assert!(is_full(&bulkhead.acquire().await.expect_err("too late")));
    assert_eq!((start.elapsed(), bulkhead.queued()), (ms(100), 0));
    // The waiting time starts at the first poll, and the number of waiters is unlimited.
    let calls = (0..50).map(|_| bulkhead.run_async(async { Some(start.elapsed()) }));
    let calls: Vec<_> = calls.collect();
    sleep(ms(60)).await;
    let release = async {
        sleep(ms(90)).await;
        assert_eq!(bulkhead.queued(), 50);
        drop(permit);
    };
    let (answers, ()) = futures::join!(futures::future::join_all(calls), release);
    assert_eq!(answers, [Some(ms(250)); 50]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_wait_is_unbounded_in_time() {
    let bulkhead = Bulkhead::new(1).queue(1);
    let hour = Duration::from_secs(3600);
    let start = Instant::now();
    let long = bulkhead.run_async(async {
        sleep(hour).await;
        Some(start.elapsed())
    });
    let next = bulkhead.run_async(async { Some(start.elapsed()) });
    assert_eq!(futures::join!(long, next), (Some(hour), Some(hour)));
}

#[tokio::test(start_paused = true)]
async fn both_limits() {
    let bulkhead = Bulkhead::new(1).queue(1).wait(ms(100));
    let _permit = bulkhead.try_acquire().expect("the first");
    let start = Instant::now();
    let call = || bulkhead.run_async(async { Some(()) });
    let late = async {
        sleep(ms(50)).await;
        assert_eq!(call().await, None);
        assert_eq!(start.elapsed(), ms(50), "full queue");
        sleep(ms(50)).await;
        assert_eq!(call().await, None);
        assert_eq!(start.elapsed(), ms(200), "queued, and the wait ends");
    };
    assert_eq!(futures::join!(call(), late).0, None);
    assert_eq!(bulkhead.queued(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_permit_at_the_last_moment_is_taken() {
    let bulkhead = Bulkhead::new(1).wait(ms(100));
    let permit = bulkhead.try_acquire();
    let mut waiter = Waiter::new(&bulkhead);
    advance(ms(200)).await;
    // The waiting time is over, but the call has not been polled.
    drop(permit);
    assert!(matches!(waiter.poll(), std::task::Poll::Ready(Ok(_))));
    assert_eq!(bulkhead.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_waiter_leaves_the_queue_at_once() {
    let bulkhead = Bulkhead::new(1).wait(ms(100));
    let permit = bulkhead.try_acquire();
    let mut waiter = Waiter::new(&bulkhead);
    advance(ms(200)).await;
    assert!(matches!(waiter.poll(), std::task::Poll::Ready(Err(_))));
    // The future may end either way.
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 0));
    drop(permit);
    assert!(bulkhead.try_acquire().is_ok());
    drop(waiter);
}

#[test]
fn a_blocked_wait_ends_at_once_under_test() {
    let bulkhead = Bulkhead::new(1).wait(Duration::from_secs(20));
    let _permit = bulkhead.try_acquire();
    let clock = testing::clock();
    assert!(bulkhead.acquire_blocking().is_err());
    assert!(futures::executor::block_on(bulkhead.acquire()).is_err());
    assert_eq!((clock.elapsed(), bulkhead.queued()), (Duration::from_secs(40), 0));
    let _guard = testing::no_waits();
    assert!(bulkhead.acquire_blocking().is_err());
    assert!(futures::executor::block_on(bulkhead.acquire()).is_err());
    assert_eq!(clock.elapsed(), Duration::from_secs(40));
}

#[test]
fn a_blocked_wait_takes_real_time() {
    let bulkhead = Bulkhead::new(1).wait(ms(20));
    let _permit = bulkhead.try_acquire();
    let start = std::time::Instant::now();
    assert!(bulkhead.acquire_blocking().is_err());
    assert!(start.elapsed() >= ms(20));
}

#[test]
fn waits_beyond_the_range_of_clocks() {
    // `Duration::MAX` is no limit.
    let longest = Duration::from_secs(u64::MAX);
    let bulkhead = Bulkhead::new(1).queue(u32::MAX).wait(longest);
    let permit = bulkhead.try_acquire();
    let mut waiter = Waiter::new(&bulkhead);
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| bulkhead.acquire_blocking().is_ok());
        while bulkhead.queued() < 2 {
            std::thread::yield_now();
        }
        drop(permit);
        assert!(waiter.poll().is_ready());
        assert!(blocked.join().expect("no panic"));
    });
    let _permit = bulkhead.try_acquire();
    let _clock = testing::clock();
    assert!(bulkhead.acquire_blocking().is_err());
}
