//! A retry inside a retry of another function.

use std::cell::Cell;

use resilience::{Nested, RetryBudget, RetryPolicy, StopReason, retry, testing};

use crate::Failure;

type Calls = Cell<u32>;

fn leaf(calls: &Calls) -> Result<(), Failure> {
    calls.set(calls.get() + 1);
    Err(Failure::Down)
}

/// Defines a function that retries the call of the next function.
macro_rules! layers {
    ($(#[$retry:meta])* $name:ident $sync:ident calls $next:ident $next_sync:ident) => {
        $(#[$retry])*
        async fn $name(calls: &Calls) -> Result<(), Failure> {
            $next(calls).await
        }
        $(#[$retry])*
        fn $sync(calls: &Calls) -> Result<(), Failure> {
            $next_sync(calls)
        }
    };
}

async fn leaf_async(calls: &Calls) -> Result<(), Failure> {
    tokio::task::yield_now().await;
    leaf(calls)
}

layers!(#[retry(attempts = 4)] multiplied_1 multiplied_1_sync calls leaf_async leaf);
layers!(#[retry(attempts = 4)] multiplied_2 multiplied_2_sync calls multiplied_1 multiplied_1_sync);
layers!(#[retry(attempts = 4)] multiplied_3 multiplied_3_sync calls multiplied_2 multiplied_2_sync);
layers!(#[retry(attempts = 3)] five_1 five_1_sync calls leaf_async leaf);
layers!(#[retry(attempts = 3)] five_2 five_2_sync calls five_1 five_1_sync);
layers!(#[retry(attempts = 3)] five_3 five_3_sync calls five_2 five_2_sync);
layers!(#[retry(attempts = 3)] five_4 five_4_sync calls five_3 five_3_sync);
layers!(#[retry(attempts = 3)] five_5 five_5_sync calls five_4 five_4_sync);
layers!(#[retry(attempts = 3, nested = "outer_only")]
    outer_of_five outer_of_five_sync calls five_4 five_4_sync);
layers!(#[retry(attempts = 4, nested = "outer_only")]
    outer_of_three outer_of_three_sync calls multiplied_2 multiplied_2_sync);
layers!(#[retry(attempts = 4, nested = "outer_only")] only_1 only_1_sync calls leaf_async leaf);
layers!(#[retry(attempts = 4, nested = "outer_only")] only_2 only_2_sync calls only_1 only_1_sync);
layers!(#[retry(attempts = 4, nested = "outer_only")] only_3 only_3_sync calls only_2 only_2_sync);
layers!(#[retry(attempts = 4, nested = "outer_only")]
    mixed_2 mixed_2_sync calls multiplied_1 multiplied_1_sync);
layers!(#[retry(attempts = 4, nested = "outer_only")]
    mixed_3 mixed_3_sync calls mixed_2 mixed_2_sync);

fn sync_calls(function: fn(&Calls) -> Result<(), Failure>) -> u32 {
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!(function(&calls), Err(Failure::Down));
    calls.get()
}

async fn async_calls(function: impl AsyncFnOnce(&Calls) -> Result<(), Failure>) -> u32 {
    let calls = Cell::new(0);
    assert_eq!(function(&calls).await, Err(Failure::Down));
    calls.get()
}

#[tokio::test(start_paused = true)]
async fn nested_retries_multiply_by_default() {
    assert_eq!(sync_calls(multiplied_3_sync), 64);
    assert_eq!(sync_calls(five_5_sync), 243);
    assert_eq!(async_calls(multiplied_3).await, 64);
    assert_eq!(async_calls(five_5).await, 243);
}

#[tokio::test(start_paused = true)]
async fn only_the_outermost_retry_repeats_the_call() {
    assert_eq!(sync_calls(outer_of_three_sync), 4);
    assert_eq!(sync_calls(outer_of_five_sync), 3);
    assert_eq!(sync_calls(only_3_sync), 4);
    assert_eq!(sync_calls(mixed_3_sync), 4);
    assert_eq!(async_calls(outer_of_three).await, 4);
    assert_eq!(async_calls(outer_of_five).await, 3);
    assert_eq!(async_calls(only_3).await, 4);
    assert_eq!(async_calls(mixed_3).await, 4);
    // Outside another retry, the function retries as before.
    assert_eq!(async_calls(only_1).await, 4);
}

#[test]
fn recursion_is_a_retry_inside_a_retry() {
    #[retry(attempts = 3, nested = "outer_only")]
    fn countdown(depth: u32, calls: &Calls) -> Result<(), Failure> {
        if depth == 0 { leaf(calls) } else { countdown(depth - 1, calls) }
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!(countdown(4, &calls), Err(Failure::Down));
    assert_eq!(calls.get(), 3);
}

#[test]
fn an_inner_retry_says_that_the_outer_retry_repeats_the_call() {
    let outer = RetryPolicy::new().attempts(2).nested(Nested::OuterOnly);
    let reasons = std::cell::RefCell::new(Vec::new());
    let _guard = testing::no_waits();
    let _: Result<(), Failure> = outer.run(|| {
        let inner = RetryPolicy::new().attempts(5);
        inner
            .on(|_: &Failure| true)
            .on_give_up(|event| reasons.borrow_mut().push((event.attempt, event.reason)))
            .run(|| Err(Failure::Down))
    });
    assert_eq!(*reasons.borrow(), [(1, StopReason::Nested); 2]);
    assert_eq!(StopReason::Nested.as_str(), "nested");
}

#[tokio::test(start_paused = true)]
async fn retries_beside_each_other_are_not_nested() {
    let calls = Cell::new(0);
    let outer = RetryPolicy::new().attempts(2).nested(Nested::OuterOnly);
    let _: Result<(), Failure> = outer.run_async(async || leaf(&calls)).await;
    let inner = RetryPolicy::new().attempts(3);
    let _: Result<(), Failure> = inner.run_async(async || leaf(&calls)).await;
    assert_eq!(calls.get(), 5);
}

#[test]
fn nested_retries_with_a_budget_by_name_share_the_budget() {
    #[retry(attempts = 100, budget = RetryBudget::named("nested"))]
    fn inner(calls: &Calls) -> Result<(), Failure> {
        leaf(calls)
    }
    #[retry(attempts = 100, budget = RetryBudget::named("nested"))]
    fn outer(calls: &Calls) -> Result<(), Failure> {
        inner(calls)
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!(outer(&calls), Err(Failure::Down));
    // A retry costs 14 of 500 tokens. Apart, the budgets would allow 71 calls, and none 10,000.
    assert_eq!(calls.get(), 1 + 500 / 14);
}

#[test]
fn retries_that_multiply_are_counted() {
    let outer = RetryPolicy::new().attempts(2).name("counted_outer");
    let inner = RetryPolicy::new().attempts(3).name("counted_inner");
    let _guard = testing::no_waits();
    let _: Result<(), Failure> = outer.run(|| inner.run(|| Err(Failure::Down)));
    let nested = |name: &str| -> u64 {
        let reports = resilience::policies_matching(name);
        reports.iter().map(|report| report.count("resilience.retry.nested", &[])).sum()
    };
    assert_eq!((nested("counted_outer"), nested("counted_inner")), (0, 2 * 2));
}
