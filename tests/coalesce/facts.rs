//! The layers above a waiting call know of the execution what the layers above the running call
//! know, beside the outcome.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::*;
use resilience::{
    Bulkhead, CircuitBreaker, Effect, FailureClass, GiveUpEvent, RetryPolicy, StopReason, bulkhead,
    coalesce, fallback, retry, stale_age_async, timeout,
};
use tokio::time::sleep;

/// The end of a retry: the reason, the effect of the last failure, and the number of attempts.
type Stop = (StopReason, Effect, u32);

thread_local!(static STOPPED: RefCell<Vec<Stop>> = const { RefCell::new(Vec::new()) });

fn stopped<E>(event: &GiveUpEvent<'_, E>) {
    let stop = (event.reason, event.class.effect, event.attempt);
    STOPPED.with_borrow_mut(|stopped| stopped.push(stop));
}

/// A rejection is no attempt.
const REJECTED: Stop = (StopReason::Rejected, Effect::NotSent, 0);

#[tokio::test(start_paused = true)]
async fn a_rejection_inside_ends_the_retry_of_each_call() {
    static FULL: Bulkhead = Bulkhead::new(1).wait(Duration::from_secs(1));
    #[retry(attempts = 3, on = |_| true, on_give_up = stopped)]
    #[coalesce(key = id)]
    #[bulkhead(bulkhead = FULL)]
    async fn call(id: u32) -> Outcome {
        unreachable!("full")
    }
    let _permit = FULL.try_acquire();
    let (one, two) = tokio::join!(call(7), call(7));
    assert!(one.is_err() && one == two);
    assert_eq!(STOPPED.take(), [REJECTED; 2]);
}

/// The timeout of the execution counts for each call, whatever `on` says about the error.
#[tokio::test(start_paused = true)]
async fn a_timeout_inside_has_the_effect_for_each_call() {
    #[retry(
        attempts = 3,
        idempotent = false,
        on = |_| FailureClass::transient().effect(Effect::NotSent),
        on_give_up = stopped
    )]
    #[coalesce(key = id)]
    #[timeout("1s")]
    async fn call(id: u32) -> Outcome {
        std::future::pending().await
    }
    let (one, two) = tokio::join!(call(7), call(7));
    assert!(one.is_err() && one == two);
    assert_eq!(STOPPED.take(), [(StopReason::NotIdempotent, Effect::Unknown, 1); 2]);
}

#[test]
fn threads_that_share_an_execution_share_its_rejection() {
    static FULL: Bulkhead = Bulkhead::new(1).wait(Duration::from_millis(20));
    #[retry(attempts = 3, on = |_| true, on_give_up = stopped)]
    #[coalesce(key = 7, coalescer = &SHARED)]
    #[bulkhead(bulkhead = FULL)]
    fn call() -> Outcome {
        unreachable!("full")
    }
    static SHARED: Coalescer = Coalescer::new();
    let _permit = FULL.try_acquire();
    std::thread::scope(|threads| {
        let call = || {
            assert!(call().is_err());
            STOPPED.take()
        };
        let other = threads.spawn(call);
        let stops = (call(), other.join().expect("no panic"));
        assert_eq!(stops, (vec![REJECTED], vec![REJECTED]));
    });
}

/// A last good value inside is as old for each call.
#[tokio::test(start_paused = true)]
async fn each_call_knows_the_age_of_a_last_good_value() {
    thread_local!(static FAILS: Cell<bool> = const { Cell::new(false) });
    #[fallback(stale = "1h", key = ())]
    async fn price() -> Outcome {
        sleep(Duration::from_secs(1)).await;
        if FAILS.get() { Err(Failure::Down) } else { ok("7") }
    }
    let coalescer = Coalescer::new();
    let call = || stale_age_async(coalescer.run_async(&7, price()));
    let (one, two) = tokio::join!(call(), call());
    assert_eq!((one, two), ((ok("7"), None), (ok("7"), None)));
    FAILS.set(true);
    sleep(Duration::from_secs(8)).await;
    let age = Some(Duration::from_secs(10));
    let (one, two) = tokio::join!(call(), call());
    assert_eq!((one, two), ((ok("7"), age), (ok("7"), age)));
    // The next execution is fresh.
    FAILS.set(false);
    let (one, two) = tokio::join!(call(), call());
    assert_eq!((one, two), ((ok("7"), None), (ok("7"), None)));
}

/// A call that takes over runs its own body, so the age of the dropped execution is not its age.
#[tokio::test(start_paused = true)]
async fn the_facts_of_a_dropped_execution_are_dropped() {
    thread_local!(static FAILS: Cell<bool> = const { Cell::new(false) });
    #[fallback(stale = "1h", key = ())]
    async fn price() -> Outcome {
        if FAILS.get() { Err(Failure::Down) } else { ok("7") }
    }
    assert_eq!(price().await, ok("7"));
    FAILS.set(true);
    sleep(Duration::from_secs(8)).await;
    let coalescer = Coalescer::new();
    let stale = coalescer.run_async(&7, async {
        let price = price().await;
        std::future::pending::<()>().await;
        price
    });
    let mut stale = Caller::started(stale);
    let fresh = || {
        stale_age_async(coalescer.run_async(&7, async {
            sleep(Duration::from_secs(1)).await;
            ok("fresh")
        }))
    };
    let (one, two) = (fresh(), fresh());
    let later = async {
        sleep(Duration::from_secs(1)).await;
        stale = Caller::new(async { ok("dropped") });
    };
    let (one, two, ()) = tokio::join!(one, two, later);
    assert_eq!((one, two), ((ok("fresh"), None), (ok("fresh"), None)));
}

/// The failure that opens a circuit ends the retry of each call by hand.
#[tokio::test(start_paused = true)]
async fn an_open_circuit_inside_ends_each_retry_by_hand() {
    static OPENS: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    let (coalescer, runs) = (Coalescer::new(), Cell::new(0));
    let body = || async {
        runs.set(runs.get() + 1);
        sleep(Duration::from_secs(1)).await;
        Outcome::Err(Failure::Down)
    };
    let retry = RetryPolicy::new().attempts(3);
    let call = || retry.run_async(|| coalescer.run_async(&7, OPENS.run_async(body())));
    let (one, two) = tokio::join!(call(), call());
    assert_eq!((one, two), (Err(Failure::Down), Err(Failure::Down)));
    assert_eq!(runs.get(), 1);
}
