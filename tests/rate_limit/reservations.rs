//! Reservations: made, awaited, returned.

use std::time::Duration;

use resilience::{RateLimiter, Reservation, control, register, testing};
use tokio::time::{Instant, advance, timeout};

use crate::{SECOND, left, ms};

fn delay(reservation: &Result<Reservation<'_>, resilience::Rejected>) -> Duration {
    reservation.as_ref().expect("a reservation").delay()
}

#[test]
fn places_ahead() {
    let limiter = RateLimiter::new(2, SECOND).burst(2).wait(SECOND);
    let clock = testing::clock();
    let reservations: Vec<_> = (0..4).map(|_| limiter.reserve()).collect();
    assert_eq!(reservations.iter().map(delay).collect::<Vec<_>>(), [0, 0, 500, 1000].map(ms));
    assert_eq!(left(limiter.reserve()), Some(ms(1500)));
    assert_eq!(left(limiter.try_acquire()), Some(ms(1500)), "it cannot wait at all");
    clock.advance(ms(700));
    assert_eq!(reservations.iter().map(delay).collect::<Vec<_>>(), [0, 0, 0, 300].map(ms));
    assert!(format!("{reservations:?}").contains("delay: 300ms"));
}

#[test]
fn a_dropped_reservation_is_returned() {
    let limiter = RateLimiter::new(1, SECOND).wait(10 * SECOND);
    let clock = testing::clock();
    let _now = limiter.reserve();
    let (first, second) = (limiter.reserve(), limiter.reserve());
    assert_eq!((delay(&first), delay(&second)), (SECOND, 2 * SECOND));
    drop(second);
    let second = limiter.reserve();
    assert_eq!(delay(&second), 2 * SECOND);
    // The second reservation is later and keeps its time. The next call takes the earlier time.
    drop(first);
    let third = limiter.reserve();
    assert_eq!((delay(&second), delay(&third)), (2 * SECOND, SECOND));
    assert_eq!(delay(&limiter.reserve()), 3 * SECOND);
    // From the end and from the front, all reservations are returned.
    drop(second);
    drop(third);
    assert_eq!(left(limiter.try_acquire()), Some(SECOND));
    let reservations: Vec<_> = (0..3).map(|_| limiter.reserve()).collect();
    assert_eq!(delay(&reservations[2]), 3 * SECOND);
    drop(reservations);
    let _second = limiter.reserve();
    assert_eq!(left(limiter.try_acquire()), Some(2 * SECOND));
    // A reservation whose time has come is used; a drop changes nothing.
    let reservation = limiter.reserve();
    clock.advance(2 * SECOND);
    assert_eq!(delay(&reservation), Duration::ZERO);
    drop(reservation);
    assert_eq!(left(limiter.try_acquire()), Some(SECOND));
    // The same for a reservation without a wait.
    clock.advance(SECOND);
    drop(limiter.reserve());
    assert_eq!(left(limiter.try_acquire()), Some(SECOND));
}

#[test]
fn blocked_waits_end_at_once_under_test() {
    let limiter = RateLimiter::new(1, SECOND).wait(2 * SECOND);
    let clock = testing::clock();
    limiter.acquire_blocking().expect("the first");
    assert_eq!(clock.elapsed(), Duration::ZERO);
    limiter.acquire_blocking().expect("it may wait so long");
    assert_eq!(clock.elapsed(), SECOND);
    limiter.reserve().expect("a reservation").wait_blocking();
    assert_eq!((clock.elapsed(), left(limiter.try_acquire())), (2 * SECOND, Some(SECOND)));
    assert_eq!(futures::executor::block_on(limiter.acquire()), Ok(()));
    assert_eq!(clock.elapsed(), 3 * SECOND);
    // Skipped waits pass no time, so reservations run out.
    let _guard = testing::no_waits();
    let limiter = RateLimiter::new(1, SECOND).wait(2 * SECOND);
    let answers = [(); 4].map(|()| limiter.acquire_blocking().is_ok());
    assert_eq!(answers, [true, true, true, false]);
    let limiter = RateLimiter::new(1, SECOND).wait(2 * SECOND);
    let answers = [(); 4].map(|()| futures::executor::block_on(limiter.acquire()).is_ok());
    assert_eq!(answers, [true, true, true, false]);
}

#[test]
fn a_blocked_wait_takes_real_time() {
    let limiter = RateLimiter::new(100, SECOND).wait(SECOND);
    let start = std::time::Instant::now();
    for _ in 0..4 {
        limiter.acquire_blocking().expect("it may wait so long");
    }
    assert!(start.elapsed() >= ms(30));
}

#[tokio::test(start_paused = true)]
async fn waits_end_in_order() {
    let limiter = RateLimiter::new(4, SECOND).wait(SECOND);
    let start = Instant::now();
    let call = || limiter.run_async(async { Some(start.elapsed()) });
    let answers = futures::future::join_all((0..7).map(|_| call())).await;
    let times = [Some(0), Some(250), Some(500), Some(750), Some(1000), None, None];
    assert_eq!(answers, times.map(|time| time.map(ms)));
    // Rejected at once instead of after a useless wait.
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(call().await, Some(ms(1250)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_returns_its_reservation() {
    let limiter = RateLimiter::new(1, SECOND).wait(5 * SECOND);
    limiter.try_acquire().expect("the first");
    // No permit is taken before the first poll.
    drop(limiter.acquire());
    assert!(timeout(ms(300), limiter.acquire()).await.is_err());
    assert_eq!(left(limiter.try_acquire()), Some(ms(700)));
    limiter.acquire().await.expect("it may wait so long");
    assert_eq!(left(limiter.try_acquire()), Some(SECOND), "waited for and used");
    advance(SECOND).await;
    limiter.try_acquire().expect("its turn");
}

/// All threads return reservations at once; kept reservations never share a time.
#[test]
fn threads_never_share_a_reservation() {
    const HOUR: Duration = Duration::from_secs(3600);
    let limiter = RateLimiter::new(1, HOUR).wait(Duration::MAX);
    let mut hours: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let limiter = &limiter;
                scope.spawn(move || {
                    let mut kept = Vec::new();
                    for turn in 0..1000 {
                        let reservation = limiter.reserve().expect("within the wait");
                        // In whole hours: the test takes less than half an hour.
                        let hours = (reservation.delay() + HOUR / 2).as_secs() / HOUR.as_secs();
                        if (turn + thread) % 3 != 0 {
                            kept.push((hours, reservation));
                        }
                    }
                    kept
                })
            })
            .collect();
        let kept: Vec<_> =
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
        kept.iter().map(|(hours, _)| *hours).collect()
    });
    hours.sort_unstable();
    let calls = hours.len();
    hours.dedup();
    assert_eq!(hours.len(), calls);
    assert!(calls > 2600);
}

/// Under a paused clock the wait ends before the time of the reservation.
#[test]
fn a_reservation_that_was_awaited_stays_used_without_waits() {
    let limiter = RateLimiter::new(1, 3600 * SECOND).wait(Duration::MAX);
    let _guard = testing::no_waits();
    limiter.try_acquire().expect("the first");
    limiter.reserve().expect("a reservation").wait_blocking();
    assert!(left(limiter.try_acquire()) > Some(3600 * SECOND));
}

/// A permit of a dropped reservation is a permit as any other.
#[test]
fn drain_takes_the_permits_of_dropped_reservations() {
    static LIMITER: RateLimiter =
        RateLimiter::new(1, SECOND).wait(SECOND.saturating_mul(10)).name("reservations::drain");
    let clock = testing::clock();
    register(&LIMITER);
    let (_now, first, _second) = (LIMITER.reserve(), LIMITER.reserve(), LIMITER.reserve());
    drop(first);
    clock.advance(SECOND);
    assert_eq!(LIMITER.available(), 1);
    control("reservations::drain").drain().expect("a rate limit");
    assert_eq!((LIMITER.available(), left(LIMITER.try_acquire())), (0, Some(2 * SECOND)));
}
