//! `initial_delay`: a delay before the first attempt.

use std::cell::Cell;
use std::time::Duration;

use resilience::context::Context;
use resilience::{RetryPolicy, StopReason, retry, testing};
use tokio::time::Instant;

use crate::count;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_first_attempt_starts_after_the_delay() {
    #[retry(initial_delay = "2s", attempts = 2, backoff = "fixed", base_delay = "1s")]
    async fn poll(start: Instant, starts: &Cell<Vec<Duration>>) -> Result<(), ()> {
        let mut seen = starts.take();
        seen.push(start.elapsed());
        starts.set(seen);
        Err(())
    }
    let starts = Cell::default();
    assert!(poll(Instant::now(), &starts).await.is_err());
    assert_eq!(starts.take(), [2 * SECOND, 3 * SECOND]);
}

#[test]
fn a_sync_function_and_a_policy_made_by_hand_wait_as_well() {
    static POLICY: RetryPolicy = RetryPolicy::new().initial_delay(SECOND);
    #[retry(initial_delay = SECOND)]
    fn by_key(calls: &Cell<u32>) -> Option<u32> {
        Some(count(calls))
    }
    #[retry(policy = POLICY)]
    fn by_policy(calls: &Cell<u32>) -> Option<u32> {
        Some(count(calls))
    }
    #[retry(policy = POLICY)]
    async fn by_policy_async(calls: &Cell<u32>) -> Option<u32> {
        Some(count(calls))
    }
    let clock = testing::clock();
    let calls = Cell::new(0);
    assert_eq!(by_key(&calls), Some(1));
    assert_eq!(by_policy(&calls), Some(2));
    assert_eq!(futures::executor::block_on(by_policy_async(&calls)), Some(3));
    assert_eq!(POLICY.run(|| Some(count(&calls))), Some(4));
    let by_hand = POLICY.run_async(|| async { Some(count(&calls)) });
    assert_eq!(futures::executor::block_on(by_hand), Some(5));
    assert_eq!(clock.elapsed(), 5 * SECOND);
}

#[test]
fn the_delay_counts_against_the_deadline_also_without_waits() {
    #[retry(
        initial_delay = "3s",
        deadline = "4s",
        backoff = "fixed",
        base_delay = "2s",
        on_give_up = |event| given_up.set(Some((event.reason, event.elapsed)))
    )]
    fn call(calls: &Cell<u32>, given_up: &Cell<Option<(StopReason, Duration)>>) -> Option<()> {
        count(calls);
        None
    }
    let given_up = Cell::new(None);
    let clock = testing::clock();
    let calls = Cell::new(0);
    assert_eq!((call(&calls, &given_up), calls.replace(0)), (None, 1));
    assert_eq!(given_up.take(), Some((StopReason::Deadline, 3 * SECOND)));
    assert_eq!(clock.elapsed(), 3 * SECOND);
    drop(clock);
    let _guard = testing::no_waits();
    assert_eq!((call(&calls, &given_up), calls.get()), (None, 1));
    let (reason, elapsed) = given_up.take().expect("an event");
    assert!(reason == StopReason::Deadline && elapsed >= 3 * SECOND);
}

#[test]
fn a_delay_that_reaches_the_deadline_of_the_caller_is_left_out() {
    static POLICY: RetryPolicy = RetryPolicy::new().initial_delay(SECOND);
    let clock = testing::clock();
    for (millis, waited) in [(900, Duration::ZERO), (1000, Duration::ZERO), (1001, SECOND)] {
        let start = clock.elapsed();
        let caller = Context::new().deadline(Duration::from_millis(millis), "caller");
        assert_eq!(caller.run(|| POLICY.run(|| Some(7))), Some(7));
        assert_eq!(clock.elapsed(), start + waited, "{millis} ms");
    }
}

#[test]
fn a_policy_reports_a_delay_that_reaches_the_deadline() {
    let policy = RetryPolicy::new().deadline(SECOND).initial_delay(SECOND);
    let error = policy.validate().expect_err("a broken rule").to_string();
    assert!(error.starts_with("`initial_delay` (1s) is not shorter"), "{error}");
    assert!(RetryPolicy::new().initial_delay(SECOND).validate().is_ok());
    let zero = RetryPolicy::new().initial_delay(Duration::ZERO);
    assert_eq!(zero.run(|| Some(7)), Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_delay_beyond_the_deadline_is_left_out() {
    let policy = RetryPolicy::new().deadline(SECOND).initial_delay(10 * SECOND);
    let start = Instant::now();
    assert_eq!(policy.run_async(|| async { Some(start.elapsed()) }).await, Some(Duration::ZERO));
    let clock = testing::clock();
    assert_eq!(policy.run(|| Some(clock.elapsed())), Some(Duration::ZERO));
}
