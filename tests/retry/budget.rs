//! Budgets: shared, never overspent, refunded.

use std::sync::Arc;
use std::time::Duration;

use resilience::{FailureClass, RetryBudget, RetryPolicy, StopReason, retry, testing};

use crate::ms;

#[test]
fn the_standard_quota() {
    static QUOTA: RetryBudget = RetryBudget::new();
    #[retry(attempts = 2, budget = &QUOTA, on = |class| *class)]
    fn call(outcomes: &mut Vec<Result<(), FailureClass>>) -> Result<(), FailureClass> {
        outcomes.remove(0)
    }
    let _guard = testing::no_waits();
    let (transient, throttled) = (FailureClass::transient(), FailureClass::throttled(None));
    assert_eq!(QUOTA.tokens(), 500);
    // A failed retry costs tokens; a throttled failure costs less.
    assert!(call(&mut vec![Err(transient), Err(transient)]).is_err());
    assert_eq!(QUOTA.tokens(), 500 - 14);
    assert!(call(&mut vec![Err(throttled), Err(transient)]).is_err());
    assert_eq!(QUOTA.tokens(), 500 - 14 - 5);
    // A successful retry refunds its cost; a first success earns one token.
    assert!(call(&mut vec![Err(transient), Ok(())]).is_ok());
    assert_eq!(QUOTA.tokens(), 500 - 14 - 5);
    assert!(call(&mut vec![Ok(())]).is_ok());
    assert_eq!(QUOTA.tokens(), 500 - 14 - 5 + 1);
    for _ in 0..100 {
        assert!(call(&mut vec![Ok(())]).is_ok());
    }
    assert_eq!(QUOTA.tokens(), 500);
}

#[test]
fn a_budget_per_function_stops_retries_when_used_up() {
    #[retry(attempts = 3, budget, on_give_up = |event| *reason = Some(event.reason))]
    fn fail(calls: &mut u32, reason: &mut Option<StopReason>) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let _guard = testing::no_waits();
    let (mut calls, mut reason) = (0, None);
    for _ in 0..100 {
        assert_eq!(fail(&mut calls, &mut reason), Err(()));
    }
    // 35 retries of 14 tokens; first attempts are never rejected.
    assert_eq!(calls, 100 + 35);
    assert_eq!(reason, Some(StopReason::Budget));
}

#[test]
fn a_ratio_allows_a_share_of_the_calls_plus_ten_per_second() {
    #[retry(attempts = 2, budget = 0.6, backoff = "fixed", base_delay = "0s")]
    fn fail(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let clock = testing::clock();
    let mut calls = 0;
    // At first, ten seconds' worth may be spent at once. Six in ten calls earn a token.
    for _ in 0..1000 {
        assert_eq!(fail(&mut calls), Err(()));
    }
    assert_eq!(calls - 1000, 99 + 600, "the first call found the bucket full");
    calls = 0;
    clock.advance(Duration::from_secs(2));
    for _ in 0..1000 {
        assert_eq!(fail(&mut calls), Err(()));
    }
    assert_eq!(calls - 1000, 20 + 600);
}

#[test]
fn a_short_outage_at_high_traffic_is_retried_within_the_share() {
    for calls_per_second in [5000, 500] {
        let budget: &'static RetryBudget = Box::leak(Box::new(RetryBudget::ratio(0.2)));
        let policy = RetryPolicy::new().attempts(2).fixed().base_delay(ms(0)).budget(budget);
        let clock = testing::clock();
        for call in 0..10 * calls_per_second {
            assert_eq!(policy.run(|| Ok::<_, ()>(call)), Ok(call));
            clock.advance(Duration::from_secs(1) / calls_per_second);
        }
        // The share of the calls of nine to ten seconds.
        let share = 2 * calls_per_second;
        assert!((share * 9 / 10..=share + 100).contains(&budget.tokens()), "{}", budget.tokens());
        let mut calls = 0;
        for _ in 0..share / 4 {
            let _ = policy.run(|| {
                calls += 1;
                Err::<(), _>(())
            });
        }
        assert_eq!(calls, share / 2, "all failures are retried once");
        // Without calls the share ends after ten seconds.
        clock.advance(Duration::from_secs(10));
        assert_eq!(budget.tokens(), 100);
    }
}

#[test]
fn a_share_counts_the_calls_of_ten_seconds() {
    static BUDGET: RetryBudget = RetryBudget::ratio(1.0);
    let policy = RetryPolicy::new().budget(&BUDGET);
    let clock = testing::clock();
    for call in 0..200 {
        assert_eq!(policy.run(|| Ok::<_, ()>(call)), Ok(call));
    }
    assert_eq!(BUDGET.tokens(), 200);
    clock.advance(Duration::from_secs(9));
    assert_eq!(BUDGET.tokens(), 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(BUDGET.tokens(), 100);
}

/// The tokens of sixteen calls are added together, in the second of the last call.
#[test]
fn a_call_counts_in_the_second_of_its_batch() {
    let budget: &'static RetryBudget = Box::leak(Box::new(RetryBudget::ratio(1.0)));
    assert_eq!(budget.tokens(), 100);
    let policy = RetryPolicy::new().budget(budget);
    let call = |_| assert_eq!(policy.run(|| Ok::<_, ()>(1)), Ok(1));
    let clock = testing::clock();
    (0..15).for_each(call);
    clock.advance(Duration::from_secs(5));
    (0..97).for_each(call);
    clock.advance(Duration::from_secs(7));
    assert_eq!(budget.tokens(), 112);
    clock.advance(Duration::from_secs(3));
    assert_eq!(budget.tokens(), 100);
}

#[test]
fn a_clock_that_goes_back_fills_no_budget_and_delays_no_refill() {
    let budget: &'static RetryBudget = Box::leak(Box::new(RetryBudget::ratio(0.0)));
    let policy = RetryPolicy::new().attempts(101).fixed().base_delay(ms(0)).budget(budget);
    let clock = testing::clock();
    let ahead = testing::clock();
    ahead.advance(Duration::from_secs(3600));
    assert_eq!(policy.run(|| Err::<(), _>(())), Err(()));
    assert_eq!(budget.tokens(), 0);
    drop(ahead);
    assert_eq!(budget.tokens(), 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(budget.tokens(), 10);
}

/// In any ten seconds of a lasting outage, retries stay within the share and ten a second.
#[test]
fn a_lasting_outage_is_retried_within_the_share() {
    static BUDGET: RetryBudget = RetryBudget::ratio(0.1);
    let policy = RetryPolicy::new().attempts(4).fixed().base_delay(ms(0)).budget(&BUDGET);
    let clock = testing::clock();
    let mut retries = Vec::new();
    for _ in 0..60 {
        let mut calls = 0;
        for _ in 0..1000 {
            let _ = policy.run(|| {
                calls += 1;
                Err::<(), _>(())
            });
            clock.advance(ms(1));
        }
        retries.push(calls - 1000);
    }
    let most = retries.windows(10).map(|window| window.iter().sum::<u32>()).max();
    // The share of 10 000 calls, 100 in 10 s, and the full bucket of the start.
    assert!(most <= Some(1000 + 100 + 100), "{most:?}");
    assert!(retries.iter().skip(10).all(|retries| (105..=115).contains(retries)), "{retries:?}");
}

#[test]
fn budgets_may_be_shared() {
    static SHARED: RetryBudget = RetryBudget::bucket(3);
    static POLICY: RetryPolicy = RetryPolicy::new().attempts(2).budget(&SHARED);
    struct Client {
        budget: Arc<RetryBudget>,
        calls: u32,
    }
    impl Client {
        #[retry(attempts = 2, budget = self.budget)]
        fn shared(&self, calls: &std::cell::Cell<u32>) -> Result<(), ()> {
            crate::count(calls);
            Err(())
        }
        #[retry(attempts = 2, budget = Arc::clone(&self.budget))]
        async fn exclusive(&mut self) -> Result<(), ()> {
            self.calls += 1;
            Err(())
        }
    }
    #[retry(policy = &POLICY)]
    fn by_policy(calls: &std::cell::Cell<u32>) -> Result<(), ()> {
        crate::count(calls);
        Err(())
    }
    let _guard = testing::no_waits();
    let calls = std::cell::Cell::new(0);
    let mut client = Client { budget: Arc::new(RetryBudget::bucket(2)), calls: 0 };
    assert_eq!(client.shared(&calls), Err(()));
    assert_eq!(futures::executor::block_on(client.exclusive()), Err(()));
    assert_eq!(client.shared(&calls), Err(()));
    assert_eq!((calls.replace(0), client.calls), (3, 2), "two retries between them");
    assert_eq!(by_policy(&calls), Err(()));
    assert_eq!(POLICY.run(|| Err::<(), _>(crate::count(&calls))), Err(4));
    assert_eq!(by_policy(&calls), Err(()));
    assert_eq!(by_policy(&calls), Err(()));
    assert_eq!((calls.get(), SHARED.tokens()), (4 + 3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_never_starts_is_refunded() {
    static BUDGET: RetryBudget = RetryBudget::bucket(10);
    #[retry(budget = BUDGET, backoff = "fixed", base_delay = "1s")]
    async fn fail(attempt: Duration) -> Result<(), ()> {
        tokio::time::sleep(attempt).await;
        Err(())
    }
    // Dropped during the delay before the first retry.
    assert!(tokio::time::timeout(ms(500), fail(ms(0))).await.is_err());
    assert_eq!(BUDGET.tokens(), 10);
    // Dropped during the retry: the load was made, so the tokens are spent.
    assert!(tokio::time::timeout(ms(1500), fail(ms(400))).await.is_err());
    assert_eq!(BUDGET.tokens(), 9);
    // The same by hand.
    let policy = RetryPolicy::new().fixed().base_delay(ms(1000)).budget(&BUDGET);
    let call = policy.run_async(|| async { Err::<(), _>(()) });
    assert!(tokio::time::timeout(ms(500), call).await.is_err());
    assert_eq!(BUDGET.tokens(), 9);
}

#[test]
fn nothing_is_withdrawn_for_a_retry_that_another_rule_forbids() {
    static BUDGET: RetryBudget = RetryBudget::bucket(10);
    #[retry(budget = BUDGET, on = |class| *class, idempotent = idempotent, deadline = "10s")]
    fn fail(class: FailureClass, idempotent: bool) -> Result<(), FailureClass> {
        Err(class)
    }
    const ONE: u32 = 1;
    #[retry(attempts = ONE, budget = BUDGET)]
    fn once() -> Result<(), ()> {
        Err(())
    }
    let after = FailureClass::throttled(Some(Duration::from_secs(20)));
    assert!(fail(FailureClass::permanent(), true).is_err());
    assert!(fail(FailureClass::transient(), false).is_err());
    assert!(fail(after, true).is_err());
    assert!(once().is_err());
    assert_eq!(BUDGET.tokens(), 10);
}

#[test]
fn threads_do_not_overspend() {
    static BUDGET: RetryBudget = RetryBudget::bucket(1000);
    #[retry(attempts = 2, budget = BUDGET, backoff = "fixed", base_delay = "0s")]
    fn fail(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let retries: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut calls = 0;
                    for _ in 0..1000 {
                        assert_eq!(fail(&mut calls), Err(()));
                    }
                    calls - 1000
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!((retries, BUDGET.tokens()), (1000, 0));
}

#[test]
fn a_ratio_of_sixty_percent_is_exact() {
    for (ratio, expected) in [(0.05, 500), (0.2, 2000), (0.3, 3000), (0.6, 6000), (1.0, 10_000)] {
        let budget: &'static RetryBudget =
            Box::leak(Box::new(RetryBudget::bucket(2).per_call(ratio)));
        let policy = RetryPolicy::new().attempts(2).fixed().base_delay(ms(0)).budget(budget);
        let mut calls = 0;
        for _ in 0..10_000 {
            let _ = policy.run(|| {
                calls += 1;
                Err::<(), _>(())
            });
        }
        // The bucket is full at first.
        let retries: u32 = calls - 10_000;
        assert!(retries.abs_diff(expected) <= 2, "{ratio}: {retries}");
    }
}

#[test]
fn a_call_or_a_success_earns_at_most_a_token() {
    let budget: &'static RetryBudget = Box::leak(Box::new(RetryBudget::bucket(5).per_call(3.0)));
    let policy = RetryPolicy::new().attempts(6).fixed().base_delay(ms(0)).budget(budget);
    assert_eq!(policy.run(|| Err::<(), _>(())), Err(()));
    assert_eq!(budget.tokens(), 0);
    assert_eq!(policy.run(|| Ok::<_, ()>(())), Ok(()));
    assert_eq!(budget.tokens(), 1);
}

/// Half a token for each success, and one for each retry: the refund belongs to the standard quota.
#[test]
fn a_success_after_a_retry_earns_as_any_success() {
    static BUDGET: RetryBudget = RetryBudget::bucket(10).per_success(0.5);
    let policy = RetryPolicy::new().fixed().base_delay(ms(0)).budget(&BUDGET);
    for left in [9, 9, 8, 8] {
        let mut outcomes = vec![Ok(()), Err(())];
        assert_eq!(policy.run(|| outcomes.pop().expect("two attempts")), Ok(()));
        assert_eq!(BUDGET.tokens(), left);
    }
}

#[test]
fn fresh_state_keeps_the_terms_of_a_budget() {
    #[retry(attempts = 2, budget = 0.1)]
    fn fail(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let (_guard, _fresh) = (testing::no_waits(), testing::fresh_state());
    let mut calls = 0;
    for _ in 0..60 {
        assert_eq!(fail(&mut calls), Err(()));
    }
    assert_eq!(calls, 120, "ten seconds' worth of retries");
}

#[test]
fn fresh_state_resets_a_budget_for_a_test() {
    #[retry(attempts = 2, budget)]
    fn fail(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let retries = |rounds: u32| {
        let mut calls = 0;
        for _ in 0..rounds {
            assert_eq!(fail(&mut calls), Err(()));
        }
        calls - rounds
    };
    let _guard = testing::no_waits();
    assert_eq!(retries(30), 30);
    {
        let _fresh = testing::fresh_state();
        assert_eq!(retries(40), 35, "a full quota");
        {
            let _fresher = testing::fresh_state();
            assert_eq!(retries(40), 35);
        }
        assert_eq!(retries(40), 0, "the rest of the guard's quota");
        // Another thread uses the state of the function.
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let _guard = testing::no_waits();
                let mut calls = 0;
                assert_eq!(fail(&mut calls), Err(()));
                calls
            });
            assert_eq!(other.join().expect("no panic"), 2);
        });
    }
    assert_eq!(retries(10), 4, "the rest of the function's quota");
}

/// The milliseconds of a budget wrap after 49 days.
#[test]
fn a_budget_at_rest_for_weeks_is_full() {
    #[retry(attempts = 1000, budget = 0.1, backoff = "fixed", base_delay = "0s")]
    fn fail(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let clock = testing::clock();
    for days in [1, 24, 25, 30, 49, 50, 60] {
        assert_eq!(fail(&mut 0), Err(()));
        clock.advance(Duration::from_secs(days * 24 * 3600));
        let mut calls = 0;
        assert_eq!(fail(&mut calls), Err(()));
        assert_eq!(calls, 1 + 100, "after {days} days");
    }
}
