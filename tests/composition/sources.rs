//! Rejections through other functions, and timeouts in a queue of this process.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, OnCancel, Rejected, RejectedKind, bulkhead,
    circuit_breaker, rate_limit, retry, testing, timeout,
};
use tokio::time::sleep;

static OPEN: CircuitBreaker = CircuitBreaker::new().name("inner");

#[circuit_breaker(breaker = OPEN)]
fn inner_anyhow() -> anyhow::Result<()> {
    Ok(())
}

#[circuit_breaker(breaker = OPEN)]
fn inner_eyre() -> eyre::Result<()> {
    Ok(())
}

type Boxed = Box<dyn Error + Send + Sync>;

#[circuit_breaker(breaker = OPEN)]
fn inner_boxed() -> Result<(), Boxed> {
    Ok(())
}

#[test]
fn a_rejection_through_an_error_that_holds_any_error_ends_a_retry() {
    #[retry(attempts = 5)]
    fn anyhow(calls: &Cell<u32>) -> anyhow::Result<()> {
        use anyhow::Context as _;
        calls.set(calls.get() + 1);
        inner_anyhow().context("outer")
    }
    #[retry(attempts = 5)]
    fn eyre(calls: &Cell<u32>) -> eyre::Result<()> {
        calls.set(calls.get() + 1);
        inner_eyre()
    }
    #[retry(attempts = 5)]
    fn boxed(calls: &Cell<u32>) -> Result<(), Boxed> {
        calls.set(calls.get() + 1);
        inner_boxed()
    }
    #[retry(attempts = 5)]
    fn local(calls: &Cell<u32>) -> Result<(), Box<dyn Error>> {
        calls.set(calls.get() + 1);
        inner_boxed().map_err(|error| -> Box<dyn Error> { error })
    }
    let (clock, calls) = (testing::clock(), Cell::new(0));
    OPEN.force_open();
    assert!(anyhow(&calls).is_err() && eyre(&calls).is_err());
    assert!(boxed(&calls).is_err() && local(&calls).is_err());
    assert_eq!((calls.get(), clock.elapsed()), (4, Duration::ZERO));
}

#[test]
fn a_rejection_through_another_function_is_neutral_for_a_breaker() {
    #[circuit_breaker(failure_threshold = 1, name = "outer of a rejection")]
    fn outer(failure: &str) -> anyhow::Result<()> {
        match failure {
            "rejected" => Err(Rejected::new(RejectedKind::BulkheadFull, "pool", None).into()),
            other => anyhow::bail!("{other}"),
        }
    }
    assert!(outer("rejected").is_err());
    let state = || circuit_breaker("outer of a rejection").unwrap().state();
    assert_eq!(state(), CircuitState::Closed);
    assert!(outer("down").is_err());
    assert_eq!(state(), CircuitState::Open);
}

#[test]
fn other_errors_in_an_anyhow_error_are_retried() {
    #[retry(attempts = 3, base_delay = "1ms")]
    fn call(calls: &Cell<u32>) -> anyhow::Result<()> {
        calls.set(calls.get() + 1);
        anyhow::bail!("down")
    }
    let (_clock, calls) = (testing::clock(), Cell::new(0));
    assert!(call(&calls).is_err());
    assert_eq!(calls.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_in_the_own_queue_is_no_failure_of_the_dependency() {
    #[circuit_breaker(name = "own queue")]
    #[timeout("1s")]
    #[bulkhead(max = 2, queue = 100)]
    async fn call() -> Result<(), Rejected> {
        sleep(Duration::from_millis(800)).await;
        Ok(())
    }
    let calls: Vec<_> = (0..10).map(|_| tokio::spawn(call())).collect();
    let mut timed_out = 0;
    for call in calls {
        timed_out += u32::from(call.await.unwrap().is_err());
    }
    assert!(timed_out >= 6, "{timed_out}");
    let breaker = circuit_breaker("own queue").unwrap();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_while_waiting_for_a_rate_limit_is_no_failure_of_the_dependency() {
    const LONG: Duration = Duration::from_secs(300);
    #[circuit_breaker(failure_threshold = 1, name = "own limit")]
    #[timeout("1s")]
    #[rate_limit(rate = 1, per = "1m", wait = LONG)]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    assert!(call().await.is_ok());
    assert!(call().await.is_err());
    assert_eq!(circuit_breaker("own limit").unwrap().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_the_own_queue_is_no_failure_of_the_dependency() {
    const LONG: Duration = Duration::from_secs(7200);
    static BREAKER: CircuitBreaker = CircuitBreaker::new()
        .failure_threshold(2)
        .reset_timeout(Duration::from_secs(30))
        .on_cancel(OnCancel::Failure);
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(100);
    #[timeout("1s")]
    #[circuit_breaker(breaker = BREAKER)]
    #[bulkhead(bulkhead = BULKHEAD)]
    async fn call() -> Result<(), Rejected> {
        std::future::pending().await
    }
    #[timeout("1s")]
    #[circuit_breaker(failure_threshold = 1, on_cancel = "failure", name = "dropped in queue")]
    #[rate_limit(rate = 1, per = "1h", wait = LONG)]
    async fn limited() -> Result<(), Rejected> {
        std::future::pending().await
    }
    let permit = BULKHEAD.try_acquire().unwrap();
    for _ in 0..5 {
        assert!(call().await.is_err());
    }
    assert_eq!(BREAKER.state(), CircuitState::Closed);
    // A trial call that is dropped in the queue returns its permit.
    BREAKER.trip();
    sleep(Duration::from_secs(31)).await;
    assert!(call().await.is_err());
    assert_eq!(BREAKER.state(), CircuitState::HalfOpen);
    drop(permit);
    assert!(call().await.is_err());
    assert_eq!(BREAKER.state(), CircuitState::Open, "the body ran");

    assert!(limited().await.is_err());
    let breaker = circuit_breaker("dropped in queue").unwrap();
    assert_eq!(breaker.state(), CircuitState::Open, "the body ran");
    breaker.force_close();
    assert!(limited().await.is_err());
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_after_the_queue_is_a_failure() {
    #[circuit_breaker(failure_threshold = 2, name = "after the queue")]
    #[timeout("1s")]
    #[bulkhead(max = 1, queue = 100)]
    async fn call(millis: u64) -> Result<(), Rejected> {
        sleep(Duration::from_millis(millis)).await;
        Ok(())
    }
    // The second call waits for 0.5 s, and then hangs.
    let (one, two) = tokio::join!(call(500), call(60_000));
    assert!(one.is_ok() && two.is_err());
    assert!(call(60_000).await.is_err());
    assert_eq!(circuit_breaker("after the queue").unwrap().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_in_the_own_queue_is_retried_though_the_call_is_not_idempotent() {
    #[retry(attempts = 2, base_delay = "1ms", idempotent = false)]
    #[timeout("1s")]
    #[bulkhead(max = 1, queue = 100)]
    async fn call(calls: &Cell<u32>) -> Result<(), Rejected> {
        calls.set(calls.get() + 1);
        sleep(Duration::from_millis(1500)).await;
        Ok(())
    }
    let (first, second) = (Cell::new(0), Cell::new(0));
    let (one, _) = tokio::join!(call(&first), call(&second));
    // The first may have been sent.
    assert!(one.is_err());
    assert_eq!((first.get(), second.get()), (1, 1), "the second attempt of the second ran");
}
