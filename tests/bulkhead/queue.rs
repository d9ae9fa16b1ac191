//! The queue: first come, first served, without calls that have left.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use resilience::{Bulkhead, testing};

use crate::{Waiter, at_once, is_full, ms};

#[test]
fn the_queue_is_bounded() {
    let bulkhead = Bulkhead::new(1).queue(2);
    let permit = bulkhead.try_acquire().expect("the first");
    let (mut first, mut second) = (Waiter::new(&bulkhead), Waiter::new(&bulkhead));
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 2));
    assert!(is_full(&at_once(bulkhead.acquire()).expect_err("full queue")));
    assert!(bulkhead.acquire_blocking().is_err());
    drop(permit);
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 1));
    let Poll::Ready(Ok(permit)) = first.poll() else { panic!("the first is served") };
    assert!(second.poll().is_pending());
    let _third = Waiter::new(&bulkhead);
    drop(permit);
    assert!(second.poll().is_ready());
}

#[test]
fn first_come_first_served() {
    let bulkhead = Bulkhead::new(2).queue(10);
    let mut permits = vec![bulkhead.try_acquire(), bulkhead.try_acquire()];
    let mut waiters: Vec<_> = (0..10).map(|_| Waiter::new(&bulkhead)).collect();
    for turn in 0..10 {
        drop(permits.remove(0));
        let wakes: Vec<_> = waiters.iter().map(Waiter::wakes).collect();
        let expected: Vec<_> = (0..10).map(|waiter| usize::from(waiter <= turn)).collect();
        assert_eq!(wakes, expected);
        // A waiter behind the front gets no permit, however often polled.
        assert!(waiters.iter_mut().skip(turn + 1).all(|waiter| waiter.poll().is_pending()));
        let Poll::Ready(permit) = waiters[turn].poll() else { panic!("{turn} is served") };
        permits.push(permit);
        assert_eq!((bulkhead.running(), bulkhead.queued()), (2, 9 - turn));
    }
}

#[test]
fn a_new_call_does_not_overtake() {
    let bulkhead = Bulkhead::new(1).queue(5);
    let permit = bulkhead.try_acquire();
    let mut waiter = Waiter::new(&bulkhead);
    drop(permit);
    // The permit is assigned, but the waiter has not polled yet.
    assert!(bulkhead.try_acquire().is_err());
    let mut newcomer = Waiter::new(&bulkhead);
    assert!(waiter.poll().is_ready(), "and given back");
    assert!(newcomer.poll().is_ready());
}

#[test]
fn a_dropped_waiter_leaves_the_queue() {
    let bulkhead = Bulkhead::new(1).queue(3);
    let permit = bulkhead.try_acquire();
    let mut first = Waiter::new(&bulkhead);
    let (second, mut third) = (Waiter::new(&bulkhead), Waiter::new(&bulkhead));
    drop(second);
    assert_eq!(bulkhead.queued(), 2);
    let fourth = Waiter::new(&bulkhead);
    drop(permit);
    let first_permit = first.poll();
    assert!(first_permit.is_ready() && third.poll().is_pending());
    drop(first_permit);
    assert_eq!((third.wakes(), fourth.wakes()), (1, 0));
    assert!(third.poll().is_ready());
}

#[test]
fn a_dropped_waiter_passes_an_assigned_permit_on() {
    let bulkhead = Bulkhead::new(1).queue(3);
    let permit = bulkhead.try_acquire();
    let (first, second) = (Waiter::new(&bulkhead), Waiter::new(&bulkhead));
    let mut third = Waiter::new(&bulkhead);
    drop(permit);
    assert_eq!(first.wakes(), 1);
    drop(first);
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    drop(second);
    assert_eq!(third.wakes(), 1);
    assert!(third.poll().is_ready());
    assert_eq!((bulkhead.running(), bulkhead.queued()), (0, 0));
}

#[test]
fn the_waker_of_the_last_poll_counts() {
    let bulkhead = Bulkhead::new(1).queue(1);
    let permit = bulkhead.try_acquire();
    let mut waiter = Waiter::new(&bulkhead);
    let moved = Arc::clone(&waiter.woken);
    waiter.woken = Arc::default();
    assert!(waiter.poll().is_pending());
    drop(permit);
    assert_eq!((Waiter::wakes(&waiter), Arc::strong_count(&moved)), (1, 1));
}

/// Wakers belong to the executor and may access the bulkhead, so the bulkhead holds no lock then.
#[test]
fn a_waker_may_access_the_bulkhead() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(1);
    struct Curious;
    impl Wake for Curious {
        fn wake(self: Arc<Self>) {
            assert_eq!((BULKHEAD.running(), BULKHEAD.queued()), (1, 0));
            assert!(BULKHEAD.try_acquire().is_err());
        }
    }
    impl Drop for Curious {
        fn drop(&mut self) {
            assert!(BULKHEAD.running() <= 1);
        }
    }
    let poll = |waiter: &mut std::pin::Pin<Box<resilience::BulkheadAcquire<'_>>>| {
        let waker = Waker::from(Arc::new(Curious));
        waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    };
    let permit = BULKHEAD.try_acquire();
    let mut left = Box::pin(BULKHEAD.acquire());
    assert!(!poll(&mut left) && !poll(&mut left));
    assert!(at_once(BULKHEAD.acquire()).is_err());
    drop(left);
    let mut waiter = Box::pin(BULKHEAD.acquire());
    assert!(!poll(&mut waiter));
    drop(permit);
    assert!(poll(&mut waiter));
}

#[test]
fn a_call_that_has_left_keeps_no_waker() {
    let _clock = testing::clock();
    let bulkhead = Bulkhead::new(1).wait(ms(1000));
    let permit = bulkhead.try_acquire().expect("a permit");
    let Waiter { future, woken } = Waiter::new(&bulkhead);
    assert!(Arc::strong_count(&woken) > 1);
    drop(future);
    assert_eq!(Arc::strong_count(&woken), 1);
    let mut admitted = Waiter::new(&bulkhead);
    drop(permit);
    assert!(admitted.poll().is_ready());
    assert_eq!(Arc::strong_count(&admitted.woken), 1);
}
