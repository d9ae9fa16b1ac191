//! Turns of waiting calls: order of arrival, and turns of calls that leave.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use resilience::{RateLimiter, Rejected, rate_limit, timeout};
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep};

use crate::{SECOND, left, ms};

/// Calls that have joined the line.
macro_rules! waits {
    ($limiter:expr, $calls:expr) => {{
        let mut calls = Vec::new();
        for _ in 0..$calls {
            let mut call = Box::pin($limiter.acquire());
            assert!(futures::poll!(&mut call).is_pending(), "there is no need to wait");
            calls.push(call);
        }
        calls
    }};
}

#[tokio::test(start_paused = true)]
async fn the_turn_of_a_call_that_leaves_goes_to_the_next() {
    for from_the_front in [true, false] {
        let limiter = RateLimiter::new(1, SECOND).wait(1000 * SECOND);
        limiter.try_acquire().expect("the first");
        let mut calls = waits!(limiter, 100);
        assert_eq!(left(limiter.try_acquire()), Some(101 * SECOND));
        if !from_the_front {
            calls.reverse();
        }
        for left_behind in (0..100).rev() {
            drop(calls.remove(0));
            let next = Duration::from_secs(left_behind + 1);
            assert_eq!(left(limiter.try_acquire()), Some(next), "calls that left do not count");
        }
        let start = Instant::now();
        limiter.acquire().await.expect("its turn");
        assert_eq!(start.elapsed(), SECOND);
        sleep(100 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn calls_behind_move_up_and_keep_their_order() {
    let limiter = RateLimiter::new(1, SECOND).wait(100 * SECOND);
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let mut calls = waits!(limiter, 10);
    // Two leave at the front, one in the middle.
    drop(calls.remove(5));
    drop(calls.remove(1));
    drop(calls.remove(0));
    let turns = calls.into_iter().map(|call| async move {
        call.await.expect("its turn");
        start.elapsed().as_millis()
    });
    let turns = futures::future::join_all(turns).await;
    assert_eq!(turns, [1000, 2000, 3000, 4000, 5000, 6000, 7000]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_no_executor_polls_does_not_stop_the_calls_behind() {
    let limiter = RateLimiter::new(1, SECOND).wait(100 * SECOND);
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let stuck = waits!(limiter, 1);
    limiter.acquire().await.expect("its turn");
    assert_eq!(start.elapsed(), 2 * SECOND);
    limiter.acquire().await.expect("its turn");
    assert_eq!(start.elapsed(), 3 * SECOND);
    drop(stuck);
    limiter.acquire().await.expect("its turn");
    assert_eq!(start.elapsed(), 4 * SECOND, "an old turn is not saved up");
}

/// A further poll does not move the timer of a call behind a call that no executor polls.
#[tokio::test(start_paused = true)]
async fn a_call_behind_a_forgotten_call_starts_at_its_turn() {
    let limiter = RateLimiter::new(1, SECOND).wait(100 * SECOND);
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    // The timers of these polls do not wake the test.
    let mut context = Context::from_waker(Waker::noop());
    let mut calls: Vec<_> = (0..3).map(|_| Box::pin(limiter.acquire())).collect();
    for index in [0, 1, 2, 1] {
        assert!(calls[index].as_mut().poll(&mut context).is_pending());
    }
    calls.remove(1).await.expect("its turn");
    assert_eq!(start.elapsed(), 2 * SECOND);
}

/// A call whose turn has come, but that is dropped instead of polled, made no call.
#[tokio::test(start_paused = true)]
async fn a_turn_that_is_not_used_goes_to_the_next() {
    let limiter = RateLimiter::new(1, SECOND).wait(100 * SECOND);
    limiter.try_acquire().expect("the first");
    let mut calls = waits!(limiter, 3);
    let _last = calls.pop();
    advance(SECOND).await;
    // The second call gives the turn to the first call, and the first call leaves.
    assert!(futures::poll!(&mut calls[1]).is_pending());
    drop(calls.remove(0));
    assert!(futures::poll!(&mut calls[0]).is_ready());
    assert_eq!(left(limiter.try_acquire()), Some(2 * SECOND));
}

/// Spawns a call, and returns the time of its turn.
async fn parked(limiter: &Arc<RateLimiter>, start: Instant) -> JoinHandle<Duration> {
    let limiter = Arc::clone(limiter);
    let task = tokio::spawn(async move {
        limiter.acquire().await.expect("its turn");
        start.elapsed()
    });
    tokio::task::yield_now().await;
    task
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_call_is_woken_for_the_turn_of_a_call_that_leaves() {
    // Before the turn of the call in front, and after that turn was not used.
    for (leaves, turn) in [(500, 1000), (1200, 1200)] {
        let limiter = Arc::new(RateLimiter::new(1, SECOND).wait(100 * SECOND));
        limiter.try_acquire().expect("the first");
        let start = Instant::now();
        let front = waits!(limiter, 1);
        let task = parked(&limiter, start).await;
        sleep(ms(leaves)).await;
        drop(front);
        assert_eq!(task.await.expect("no panic"), ms(turn), "{leaves} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn sleeping_calls_wait_for_a_cost_that_was_corrected() {
    let limiter = Arc::new(RateLimiter::new(1, SECOND).wait(100 * SECOND));
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let tasks = [parked(&limiter, start).await, parked(&limiter, start).await];
    sleep(ms(500)).await;
    limiter.settle(1, 6);
    for (task, turn) in tasks.into_iter().zip([6, 7]) {
        assert_eq!(task.await.expect("no panic"), turn * SECOND);
    }
}

/// Twice the load for two minutes. All callers give up after a second.
#[tokio::test(start_paused = true)]
async fn callers_under_a_timeout_get_all_turns() {
    // A literal would be a compile error: no call could wait so long.
    const LONG: Duration = Duration::from_secs(10);
    #[timeout("1s")]
    #[rate_limit(rate = 10, wait = LONG)]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let mut tasks = Vec::new();
    for _ in 0..20 * 120 {
        tasks.push(tokio::spawn(call()));
        sleep(ms(50)).await;
    }
    let mut served = 0;
    for task in tasks {
        served += usize::from(task.await.expect("no panic").is_ok());
    }
    assert!((1140..=1212).contains(&served), "{served} of 1210");
}

/// Callers that leave at once, in order of arrival or in any other order.
#[tokio::test(start_paused = true)]
async fn impatient_callers_take_no_turn_from_patient_callers() {
    for patience in [ms(50), ms(310), ms(2000)] {
        let limiter = Arc::new(RateLimiter::new(10, SECOND).wait(10 * SECOND));
        let mut tasks = Vec::new();
        for number in 0..1200_u64 {
            let limiter = Arc::clone(&limiter);
            let patience = if number % 4 == 0 { patience * 10 } else { patience };
            let call = async move { tokio::time::timeout(patience, limiter.acquire()).await };
            tasks.push(tokio::spawn(call));
            sleep(ms(50)).await;
        }
        let mut served = 0;
        for task in tasks {
            served += usize::from(matches!(task.await.expect("no panic"), Ok(Ok(()))));
        }
        // One minute at 10 a second.
        assert!(served >= 570, "{served} of 600 with a patience of {patience:?}");
        assert!(served <= 620, "{served} of 600 with a patience of {patience:?}");
    }
}

/// The timer of tokio has a resolution of a millisecond.
#[tokio::test(start_paused = true)]
async fn a_single_caller_reaches_a_rate_above_the_resolution_of_the_timer() {
    for (rate, burst) in [(10_000, 1), (10_000, 20), (3_000, 1), (1_500, 1)] {
        let limiter = RateLimiter::new(rate, SECOND).burst(burst).wait(SECOND);
        let start = Instant::now();
        for _ in 0..rate {
            limiter.acquire().await.expect("its turn");
        }
        let took = start.elapsed();
        assert!(took >= ms(990 - u64::from(burst)), "{rate}: {took:?}");
        assert!(took <= ms(1010), "{rate}: {took:?}");
        // The turns that a late waiter keeps are no burst after a rest.
        sleep(SECOND).await;
        let at_once = (0..100).filter(|_| limiter.try_acquire().is_ok()).count();
        assert_eq!(at_once, burst as usize);
    }
}

#[test]
fn a_blocked_call_moves_up_when_a_call_in_front_leaves() {
    let limiter = RateLimiter::new(1, 3600 * SECOND).wait(Duration::MAX);
    limiter.try_acquire().expect("the first");
    let waker = futures::task::noop_waker();
    let mut context = Context::from_waker(&waker);
    let mut front = Box::pin(limiter.acquire());
    assert!(front.as_mut().poll(&mut context).is_pending());
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| limiter.acquire_blocking());
        while left(limiter.try_acquire()).is_some_and(|left| left < 2 * 3600 * SECOND) {
            std::thread::yield_now();
        }
        drop(front);
        // A debt of an hour is paid back, so the turn comes now.
        limiter.settle(2, 0);
        assert_eq!(blocked.join().expect("no panic"), Ok(()));
    });
}

#[tokio::test(start_paused = true)]
async fn reservations_keep_their_times_and_waiting_calls_move_up_between_them() {
    let limiter = RateLimiter::new(1, SECOND).wait(100 * SECOND);
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let first = limiter.reserve().expect("a reservation");
    let mut calls = waits!(limiter, 1);
    let fixed = limiter.reserve().expect("a reservation");
    calls.extend(waits!(limiter, 2));
    assert_eq!(fixed.delay(), 3 * SECOND);
    drop(first);
    assert_eq!(fixed.delay(), 3 * SECOND);
    let turns = calls.into_iter().map(|call| async move {
        call.await.expect("its turn");
        start.elapsed().as_millis()
    });
    assert_eq!(futures::future::join_all(turns).await, [1000, 2000, 4000]);
}

#[tokio::test(start_paused = true)]
async fn a_raised_cost_moves_waiting_calls_to_returned_positions_first() {
    let limiter = RateLimiter::new(1, SECOND).wait(100 * SECOND);
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let returned = limiter.reserve().expect("a reservation");
    let call = waits!(limiter, 1).remove(0);
    let _kept = limiter.reserve().expect("a reservation");
    drop(returned);
    limiter.settle(1, 2);
    assert_eq!(left(limiter.try_acquire()), Some(4 * SECOND));
    call.await.expect("its turn");
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_wait_may_be_as_long_as_the_limit_of_a_timeout_and_longer_than_a_limit_below() {
    #[timeout("1s")]
    #[rate_limit(rate = 1, wait = "1s")]
    #[timeout("100ms")]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 1, wait = "10s")]
    #[timeout("1s")]
    async fn patient() -> Result<(), Rejected> {
        Ok(())
    }
    assert!(call().await.is_ok() && patient().await.is_ok() && patient().await.is_ok());
}

/// The waiting calls are further ahead of the earlier clock than any wait.
#[test]
fn calls_that_wait_keep_their_turns_when_the_clock_goes_back() {
    const HOUR: Duration = Duration::from_secs(3600);
    let limiter = RateLimiter::new(1, HOUR).wait(HOUR * 5 / 2);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    let mut waiting = runtime.block_on(async {
        limiter.try_acquire().expect("the first");
        advance(HOUR / 2).await;
        waits!(limiter, 3)
    });
    let hours = |left: Duration| (left.as_secs_f64() / 3600.0).round();
    // The real clock is behind the clock of the runtime.
    for call in [limiter.try_acquire(), limiter.acquire_blocking()] {
        assert_eq!(left(call).map(hours), Some(4.0));
    }
    drop(waiting.remove(0));
    assert_eq!(left(limiter.try_acquire()).map(hours), Some(3.0));
}
