//! The process-wide switch, alone in its process.

#![allow(clippy::items_after_statements, reason = "a function stands near its calls")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::executor::block_on;
use resilience::{
    Bulkhead, CircuitBreaker, CircuitGuard, CircuitState, RateLimiter, Rejected, StopReason,
    coalesce, fallback, health, hedge, idempotent, register, retry, testing,
};

/// Only one test at a time changes the switch.
static SWITCH: Mutex<()> = Mutex::new(());

#[test]
fn off_means_one_call() {
    let _alone = SWITCH.lock();
    #[retry(on_give_up = |event| *reason = Some(event.reason))]
    fn fail(calls: &mut u32, reason: &mut Option<StopReason>) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let _guard = testing::no_waits();
    let (mut calls, mut reason) = (0, None);
    assert!(resilience::is_enabled());
    resilience::set_enabled(false);
    assert_eq!(fail(&mut calls, &mut reason), Err(()));
    assert_eq!((calls, reason), (1, Some(StopReason::Disabled)));
    resilience::set_enabled(true);
    assert_eq!(fail(&mut calls, &mut reason), Err(()));
    assert_eq!((calls, reason), (4, Some(StopReason::Attempts)));
}

#[test]
fn off_means_no_correction_of_permits() {
    let _alone = SWITCH.lock();
    let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(10);
    let _clock = testing::clock();
    limiter.try_acquire_many(4).expect("within the burst");
    resilience::set_enabled(false);
    limiter.settle(0, 20);
    resilience::set_enabled(true);
    assert_eq!(limiter.available(), 6);
    limiter.settle(4, 1);
    assert_eq!(limiter.available(), 9);
}

#[test]
fn the_end_of_an_earlier_call_ends_no_running_call() {
    let _alone = SWITCH.lock();
    let clock = testing::clock();
    let second = Duration::from_secs(1);
    let breaker = CircuitBreaker::new().failure_rate(0.5).slow_call(2 * second).min_calls(1000);
    let start = || (0..200).map(|_| breaker.try_acquire().expect("closed")).collect::<Vec<_>>();
    let old = start();
    breaker.reset();
    let _running = start();
    resilience::set_enabled(false);
    old.into_iter().for_each(CircuitGuard::success);
    resilience::set_enabled(true);
    clock.advance(3 * second);
    assert_eq!(breaker.snapshot().slow_calls, 200);
}

/// A trial call that ends while policies are off has no outcome, and returns its permit.
#[test]
fn a_trial_call_that_ends_while_off_returns_its_permit() {
    let _alone = SWITCH.lock();
    let clock = testing::clock();
    let second = Duration::from_secs(1);
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(second);
    breaker.trip();
    clock.advance(second);
    let trial = breaker.try_acquire().expect("the open time is over");
    assert!(breaker.try_acquire().is_err());
    resilience::set_enabled(false);
    trial.success();
    resilience::set_enabled(true);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn off_means_an_execution_for_each_call_and_no_last_good_value() {
    let _alone = SWITCH.lock();
    #[fallback(stale = "10m", key = ())]
    #[coalesce(key = ())]
    async fn count(calls: &AtomicU32) -> Result<u32, Rejected> {
        let call = calls.fetch_add(1, Relaxed);
        tokio::task::yield_now().await;
        if call < 2 { Ok(call) } else { Err(Rejected::timed_out("count", Duration::ZERO)) }
    }
    let calls = AtomicU32::new(0);
    let both = || block_on(async { futures::join!(count(&calls), count(&calls)) });
    resilience::set_enabled(false);
    assert_eq!(both(), (Ok(0), Ok(1)));
    assert!(both().0.is_err());
    resilience::set_enabled(true);
    calls.store(0, Relaxed);
    assert_eq!(both(), (Ok(0), Ok(0)));
    calls.store(2, Relaxed);
    assert_eq!((both(), calls.load(Relaxed)), ((Ok(0), Ok(0)), 3));
}

#[test]
fn off_means_no_limit() {
    let _alone = SWITCH.lock();
    let bulkhead = Bulkhead::new(1).queue(5);
    let limiter = RateLimiter::new(1, Duration::from_secs(3600));
    let first = bulkhead.try_acquire().expect("on, and free");
    assert!(limiter.try_acquire().is_ok());
    let mut waiting = Box::pin(bulkhead.acquire());
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());

    resilience::set_enabled(false);
    let uncounted = [bulkhead.try_acquire(), bulkhead.acquire_blocking()];
    assert!(uncounted.iter().all(Result::is_ok));
    let call = async { (bulkhead.acquire().await.is_ok(), limiter.acquire().await.is_ok()) };
    assert_eq!(block_on(call), (true, true));
    assert!(limiter.try_acquire().is_ok() && limiter.acquire_blocking().is_ok());
    assert!(limiter.reserve().is_ok_and(|place| place.delay().is_zero()));
    // A waiting call need not wait any longer, and does not count.
    assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 0));

    resilience::set_enabled(true);
    drop(uncounted);
    assert_eq!(bulkhead.running(), 1);
    assert!(bulkhead.try_acquire().is_err() && limiter.try_acquire().is_err());
    drop(first);
    assert_eq!(bulkhead.running(), 0);
}

#[test]
fn off_keeps_idempotent_calls_protected() {
    let _alone = SWITCH.lock();
    #[idempotent(key = id, scope = "global")]
    fn pay(id: u32, #[skip] runs: &mut u32) -> Result<u32, Rejected> {
        *runs += 1;
        Ok(*runs)
    }
    let mut runs = 0;
    resilience::set_enabled(false);
    let both = (pay(1, &mut runs), pay(1, &mut runs));
    resilience::set_enabled(true);
    assert_eq!((both, runs), ((Ok(1), Ok(1)), 1));
}

/// Calls that wait for a permit or a turn wake up and run.
#[test]
fn switching_off_wakes_waiting_calls() {
    let _alone = SWITCH.lock();
    let hour = Duration::from_secs(3600);
    let bulkhead = Bulkhead::new(1).queue(9);
    let limiter = RateLimiter::new(1, hour).wait(9 * hour);
    let _permit = bulkhead.try_acquire().expect("on, and free");
    assert!(limiter.try_acquire().is_ok());
    std::thread::scope(|scope| {
        let answers = [
            scope.spawn(|| bulkhead.acquire_blocking().is_ok()),
            scope.spawn(|| block_on(bulkhead.acquire()).is_ok()),
            scope.spawn(|| limiter.acquire_blocking().is_ok()),
            scope.spawn(|| block_on(limiter.acquire()).is_ok()),
        ];
        let has_two_waiting = |limiter: &RateLimiter| {
            limiter
                .try_acquire()
                .is_err_and(|r| r.retry_after().is_some_and(|left| left > 2 * hour))
        };
        while bulkhead.queued() < 2 || !has_two_waiting(&limiter) {
            std::thread::yield_now();
        }
        resilience::set_enabled(false);
        for answer in answers {
            assert!(answer.join().expect("no panic"));
        }
        resilience::set_enabled(true);
    });
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 0));
    // The turns of the woken calls are free again.
    let left = limiter.try_acquire().expect_err("an hour").retry_after().expect("a time");
    assert!(left <= hour, "{left:?}");
}

#[test]
fn off_means_no_hedge() {
    use std::cell::Cell;
    use std::time::Duration;

    #[hedge(after = "1ms", idempotent)]
    async fn slow(calls: &Cell<u32>) -> Option<()> {
        calls.set(calls.get() + 1);
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some(())
    }

    let _alone = SWITCH.lock();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    for (enabled, expected) in [(false, 1), (true, 2)] {
        resilience::set_enabled(enabled);
        let calls = Cell::new(0);
        assert_eq!(runtime.block_on(slow(&calls)), Some(()));
        assert_eq!(calls.get(), expected);
    }
}

#[test]
fn off_means_healthy_and_without_effect() {
    static API: CircuitBreaker = CircuitBreaker::new().name("switch::health");
    let _alone = SWITCH.lock();
    register(&API);
    API.force_open();
    assert!(!health().is_healthy());
    resilience::set_enabled(false);
    assert!(health().is_healthy());
    assert_eq!(API.explain().layers[0].text, "switched off");
    resilience::set_enabled(true);
    assert!(!health().is_healthy());
    API.force_close();
}

#[test]
fn a_call_that_ends_while_off_does_not_go_on_running() {
    let _alone = SWITCH.lock();
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().failure_rate(0.5).slow_call(Duration::from_secs(1));
    // More calls than the breaker keeps without its lock.
    let running: Vec<_> = (0..30).map(|_| breaker.try_acquire().expect("closed")).collect();
    resilience::set_enabled(false);
    for guard in running {
        guard.failure();
    }
    resilience::set_enabled(true);
    clock.advance(Duration::from_secs(2));
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls), (0, 0));
}
