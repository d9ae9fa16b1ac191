//! The budget of hedges, shared with the retries of the function.

use std::cell::Cell;
use std::time::Duration;

use resilience::{Bulkhead, Rejected, RetryBudget, RetryPolicy, bulkhead, hedge, retry, testing};

use crate::sleep;

#[hedge(after = "10ms", idempotent)]
async fn stalled(calls: &Cell<u32>) -> Option<()> {
    calls.set(calls.get() + 1);
    sleep(1000).await;
    Some(())
}

/// The harm: all calls stall, at 1000 calls a second. Without a budget the load would double.
#[tokio::test(start_paused = true)]
async fn when_every_call_stalls_the_added_load_is_at_most_the_budget() {
    let _state = testing::fresh_state();
    let calls = Cell::new(0);
    let arrivals = async {
        let mut running = futures::stream::FuturesUnordered::new();
        for _ in 0..10_000 {
            running.push(stalled(&calls));
            // Polls the calls that run.
            let tick = sleep(1);
            tokio::pin!(tick);
            loop {
                tokio::select! {
                    biased;
                    () = &mut tick => break,
                    done = futures::StreamExt::next(&mut running) => assert_eq!(done, Some(Some(()))),
                }
            }
        }
        while futures::StreamExt::next(&mut running).await.is_some() {}
    };
    arrivals.await;
    let added = calls.get() - 10_000;
    // 10 % of the calls, 10 a second for 11 s, and the 100 tokens of a full budget.
    assert!((1000..=1000 + 110 + 100).contains(&added), "{added}");
}

static EMPTY: RetryBudget = RetryBudget::ratio(0.0).capacity(1);

#[hedge(after = "10ms", idempotent, budget = &EMPTY)]
async fn with_one_token(calls: &Cell<u32>) -> Option<u32> {
    calls.set(calls.get() + 1);
    sleep(50).await;
    Some(calls.get())
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_budget_drops_the_hedge_and_not_the_call() {
    let calls = Cell::new(0);
    assert_eq!(with_one_token(&calls).await, Some(2));
    assert_eq!(EMPTY.tokens(), 0);
    assert_eq!(with_one_token(&calls).await, Some(3), "one attempt");
}

static SHARED: RetryBudget = RetryBudget::ratio(0.0).capacity(5);

#[retry(attempts = 4, base_delay = "1ms", budget = &SHARED)]
#[hedge(after = "10ms", idempotent)]
async fn retry_above(calls: &Cell<u32>) -> Option<()> {
    calls.set(calls.get() + 1);
    None
}

#[hedge(after = "10ms", max = 2, idempotent, budget = &SHARED)]
#[retry(attempts = 4, base_delay = "1ms")]
async fn retry_below(calls: &Cell<u32>) -> Option<()> {
    calls.set(calls.get() + 1);
    None
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_retry_and_a_hedge_earns_once() {
    static EARNING: RetryBudget = RetryBudget::bucket(5).per_success(1.0);

    #[retry(attempts = 4, base_delay = "1ms", budget = &EARNING)]
    #[hedge(after = "10ms", idempotent)]
    async fn call(outcome: Option<()>) -> Option<()> {
        outcome
    }
    assert_eq!((call(None).await, EARNING.tokens()), (None, 0));
    assert_eq!((call(Some(())).await, EARNING.tokens()), (Some(()), 1));
}

#[tokio::test(start_paused = true)]
async fn retries_and_hedges_draw_from_one_budget() {
    // The clock does not advance by a second, so the budget is not refilled by much.
    let calls = Cell::new(0);
    assert_eq!(retry_above(&calls).await, None);
    assert_eq!((calls.get(), SHARED.tokens()), (1 + 5, 0));
    let calls = Cell::new(0);
    assert_eq!(retry_below(&calls).await, None);
    assert_eq!((calls.get(), SHARED.tokens()), (1, 0));
}

#[retry(attempts = 2, base_delay = "1ms")]
#[hedge(after = "10ms", idempotent)]
async fn failing_pair(calls: &Cell<u32>) -> Option<()> {
    calls.set(calls.get() + 1);
    None
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_on_by_default_for_hedges_and_retries() {
    let _state = testing::fresh_state();
    let calls = Cell::new(0);
    for _ in 0..1000 {
        assert_eq!(failing_pair(&calls).await, None);
    }
    // Without a budget each call would make four attempts.
    let added = calls.get() - 1000;
    assert!((200..=220).contains(&added), "{added}");
}

static POLICY: RetryPolicy = RetryPolicy::new().attempts(3).fixed();

#[retry(policy = &POLICY)]
#[hedge(after = "10ms", idempotent)]
async fn with_a_policy(calls: &Cell<u32>) -> Option<()> {
    calls.set(calls.get() + 1);
    None
}

#[tokio::test(start_paused = true)]
async fn a_retry_policy_keeps_its_own_budget() {
    let calls = Cell::new(0);
    assert_eq!(with_a_policy(&calls).await, None);
    assert_eq!(calls.get(), 6);
}

static ONE: RetryBudget = RetryBudget::ratio(0.0).capacity(3);

#[hedge(after = "10ms", idempotent, budget = &ONE)]
#[bulkhead(max = 1)]
async fn alone(calls: &Cell<u32>) -> Result<u32, Rejected> {
    calls.set(calls.get() + 1);
    sleep(50).await;
    Ok(calls.get())
}

#[tokio::test(start_paused = true)]
async fn a_rejected_hedge_returns_its_token() {
    let calls = Cell::new(0);
    for expected in 1..=9 {
        assert_eq!(alone(&calls).await.ok(), Some(expected));
    }
    assert_eq!(ONE.tokens(), 3);
}

/// A second refund for the success would fill the budget.
#[tokio::test(start_paused = true)]
async fn the_cost_of_a_rejected_hedge_is_refunded_once() {
    static BUDGET: RetryBudget = RetryBudget::new();
    #[hedge(after = "10ms", idempotent, budget = &BUDGET)]
    #[bulkhead(bulkhead = limit)]
    async fn call(limit: &Bulkhead, works: bool) -> Result<(), Rejected> {
        sleep(100).await;
        let failure = Rejected::timed_out("upstream", Duration::from_millis(100));
        if works { Ok(()) } else { Err(failure) }
    }
    assert!(call(&Bulkhead::new(2), false).await.is_err());
    assert_eq!(BUDGET.tokens(), 500 - 14);
    // A first success earns a token.
    assert!(call(&Bulkhead::new(1), true).await.is_ok());
    assert_eq!(BUDGET.tokens(), 500 - 14 + 1);
}
