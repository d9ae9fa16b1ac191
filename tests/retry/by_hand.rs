//! The engine without the attribute.

use std::cell::Cell;
use std::time::Duration;

use resilience::{FailureClass, Jitter, RetryBudget, RetryPolicy, StopReason, testing};

use crate::{Script, count, ms};

static RETRY: RetryPolicy = RetryPolicy::new().attempts(4).jitter(Jitter::None).name("by hand");

#[test]
fn run() {
    let clock = testing::clock();
    let calls = Cell::new(0);
    assert_eq!(RETRY.run(|| Err::<(), _>(count(&calls))), Err(4));
    assert_eq!(clock.elapsed(), ms(700));
    assert_eq!(RETRY.run(|| (count(&calls) == 7).then_some("seven")), Some("seven"));
}

#[tokio::test(start_paused = true)]
async fn run_async() {
    const fn sends<T: Send>(future: T) -> T {
        future
    }
    let script = Script::new();
    assert_eq!(RETRY.run_async(|| async { script.fail::<()>() }).await, Err("down"));
    assert_eq!(script.waits(), [100, 200, 400].map(ms));
    let answer = sends(RETRY.run_async(|| async { Ok::<_, String>(7) })).await;
    assert_eq!(answer, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn throttled_failures_have_longer_delays() {
    let script = Script::new();
    let call = RETRY.on(|_: &&str| FailureClass::throttled(None));
    assert_eq!(call.run_async(|| async { script.fail::<()>() }).await, Err("down"));
    assert_eq!(script.waits(), [1000, 2000, 4000].map(ms));
}

#[test]
fn predicates_and_hooks() {
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    let (mut retries, mut reason) = (Vec::new(), None);
    let result = RETRY
        .on(|error: &u32| *error < 3)
        .on_retry(|event| retries.push((event.name, event.attempt)))
        .on_give_up(|event| reason = Some(event.reason))
        .run(|| Err::<(), _>(count(&calls)));
    assert_eq!(result, Err(3));
    assert_eq!(retries, [("by hand", 1), ("by hand", 2)]);
    assert_eq!(reason, Some(StopReason::Permanent));

    let result = RETRY
        .on(|(): &()| FailureClass::permanent())
        .on_ok(|value: &u32| *value < 6)
        .run(|| Ok(count(&calls)));
    assert_eq!(result, Ok(6));
}

#[test]
fn a_policy_made_at_run_time_is_checked_without_a_panic() {
    static NO_RATIO: RetryBudget = RetryBudget::ratio(f64::NAN);
    static ABOVE_ALL: RetryBudget = RetryBudget::ratio(1.5);
    static SHARE: RetryBudget = RetryBudget::ratio(0.2);
    static STANDARD: RetryBudget = RetryBudget::new();

    let broken = |policy: RetryPolicy| policy.validate().map_err(|error| error.to_string());
    let policy = RetryPolicy::new;
    assert_eq!(broken(policy()), Ok(()));
    assert_eq!(broken(policy().budget(&SHARE)), Ok(()));
    assert_eq!(broken(policy().budget(&STANDARD)), Ok(()));
    // An unset value is valid.
    assert_eq!(broken(policy().max_delay(ms(50)).deadline(ms(100))), Ok(()));
    for (policy, words) in [
        (policy().attempts(0), "at least 1"),
        (policy().factor(0.5), "`factor`"),
        (policy().factor(f64::NAN), "`factor`"),
        (policy().factor(f64::INFINITY), "finite"),
        (policy().jitter(Jitter::Ratio(1.5)), "between 0 and 1"),
        (policy().jitter(Jitter::Ratio(f64::NAN)), "between 0 and 1"),
        (policy().list(&[]), "at least one"),
        (policy().base_delay(ms(11)).max_delay(ms(10)), "`max_delay`"),
        (policy().deadline(Duration::ZERO), "zero"),
        (policy().budget(&NO_RATIO), "`budget`"),
        (policy().budget(&ABOVE_ALL), "`budget`"),
        (policy().base_delay(ms(100)).deadline(ms(100)), "no retry could start"),
    ] {
        let error = broken(policy).expect_err(words);
        assert!(error.contains(words), "{error}");
        // The policy still runs.
        let _guard = testing::no_waits();
        let calls = Cell::new(0);
        assert!(policy.run(|| Err::<(), _>(count(&calls))).is_err());
        assert!(calls.get() >= 1);
    }
}
