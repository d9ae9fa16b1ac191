//! The last failure of a retry, as the source of a rejection for the deadline of another function.

use std::cell::Cell;
use std::error::Error;
use std::future::pending;

use resilience::context::Context;
use resilience::{
    CircuitBreaker, Rejected, RejectedKind, RetryPolicy, bulkhead, circuit_breaker, rate_limit,
    retry, testing, timeout,
};
use tokio::time::sleep;

use crate::{Failure, MS, SECS};

type Boxed = Box<dyn Error + Send + Sync>;

/// Returns the texts of the sources, from the outside in.
fn sources(rejected: &Rejected) -> Vec<String> {
    let first: Option<&dyn Error> = rejected.source();
    std::iter::successors(first, |&error| error.source()).map(ToString::to_string).collect()
}

/// Returns the sources of a rejection for the deadline of `handler`.
fn below_handler(failure: &str) -> [String; 2] {
    ["the deadline was set by handler".into(), failure.into()]
}

fn is_first(calls: &Cell<u32>) -> bool {
    calls.replace(calls.get() + 1) == 0
}

/// Fails once, and then never ends.
async fn hangs_later(calls: &Cell<u32>) -> Result<(), Failure> {
    if is_first(calls) { Err(Failure::Down) } else { pending().await }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_caller_names_the_failure_that_the_callee_repeated() {
    #[retry(name = "callee")]
    async fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        hangs_later(calls).await
    }
    #[timeout("10s")]
    async fn handler(calls: &Cell<u32>) -> Result<(), Failure> {
        callee(calls).await
    }
    let error = handler(&Cell::new(0)).await.unwrap_err();
    assert_eq!(sources(error.rejected()), ["callee: Down"]);
    // Without a failure there is no source.
    let error = handler(&Cell::new(1)).await.unwrap_err();
    assert_eq!(sources(error.rejected()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_an_attempt_at_the_deadline_of_the_caller_names_the_failure_before() {
    #[retry(name = "callee")]
    #[timeout("1m", name = "callee")]
    async fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        hangs_later(calls).await
    }
    #[timeout("10s", name = "handler")]
    async fn handler(calls: &Cell<u32>) -> Result<(), Failure> {
        callee(calls).await
    }
    let error = handler(&Cell::new(0)).await.unwrap_err();
    let rejected = error.rejected();
    assert_eq!((rejected.name(), rejected.kind()), ("callee", RejectedKind::TimedOut));
    assert_eq!(sources(rejected), below_handler("callee: Down"));
}

/// The own limit of the attempt has ended, so the failure before is no cause.
#[tokio::test(start_paused = true)]
async fn a_timeout_of_an_attempt_before_the_deadline_does_not_name_the_failure_before() {
    #[retry(attempts = 2, base_delay = "1ms")]
    #[timeout("1s")]
    async fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        hangs_later(calls).await
    }
    #[timeout("10s")]
    async fn handler(calls: &Cell<u32>) -> Result<(), Failure> {
        callee(calls).await
    }
    let error = handler(&Cell::new(0)).await.unwrap_err();
    assert_eq!(sources(error.rejected()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn calls_with_one_deadline_have_failures_of_their_own() {
    #[retry(name = "callee", on_retry = |_| ())]
    async fn callee(id: u32, calls: &Cell<u32>) -> Result<(), String> {
        if is_first(calls) { Err(format!("failure {id}")) } else { pending().await }
    }
    #[timeout("10s", error = |rejected| sources(&rejected).join(", "))]
    async fn handler(id: u32) -> Result<(), String> {
        callee(id, &Cell::new(0)).await
    }
    let (first, second) = tokio::join!(handler(1), handler(2));
    assert_eq!(first, Err("callee: failure 1".into()));
    assert_eq!(second, Err("callee: failure 2".into()));
}

/// The hook stands for a thread that wakes up late.
#[test]
fn the_rejection_of_an_attempt_after_the_deadline_names_the_failure_before() {
    #[retry(name = "callee", base_delay = "1ms", on_retry = |_| clock.advance(SECS(10)))]
    #[circuit_breaker]
    fn breaker(clock: &testing::Clock) -> Result<(), Failure> {
        let _ = clock;
        Err(Failure::Down)
    }
    #[retry(name = "callee", base_delay = "1ms", on_retry = |_| clock.advance(SECS(10)))]
    #[bulkhead(max = 1)]
    fn full(clock: &testing::Clock) -> Result<(), Failure> {
        let _ = clock;
        Err(Failure::Down)
    }
    #[retry(name = "callee", base_delay = "1ms", on_retry = |_| clock.advance(SECS(10)))]
    #[rate_limit(rate = 100, burst = 100)]
    fn limited(clock: &testing::Clock) -> Result<(), Failure> {
        let _ = clock;
        Err(Failure::Down)
    }
    for call in [breaker, full, limited] {
        let clock = testing::clock();
        let context = Context::new().deadline(SECS(5), "handler");
        let error = context.run(|| call(&clock)).unwrap_err();
        assert_eq!(error.rejected().kind(), RejectedKind::DeadlineExceeded);
        assert_eq!(sources(error.rejected()), below_handler("callee: Down"));
    }
}

#[tokio::test]
async fn the_rejection_of_an_attempt_in_another_function_names_the_failure_before() {
    #[circuit_breaker]
    async fn query() -> Result<(), Boxed> {
        Err("connection refused".into())
    }
    #[retry(name = "callee", base_delay = "1ms", on_retry = |_| clock.advance(SECS(10)))]
    async fn callee(clock: &testing::Clock) -> Result<(), Boxed> {
        query().await?;
        let _ = clock;
        Ok(())
    }
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(5), "handler");
    let error = context.scope(callee(&clock)).await.unwrap_err();
    let rejected = Rejected::find(&*error).expect("a rejection");
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!(sources(rejected), below_handler("callee: connection refused"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_reaches_the_layers_above_a_spawned_part() {
    #[retry(name = "callee")]
    #[timeout("1m")]
    async fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        sleep(MS(1)).await;
        hangs_later(calls).await
    }
    #[timeout("10s", name = "handler")]
    async fn handler() -> Result<(), Failure> {
        let part = resilience::context::carry(async {
            let calls = Cell::new(0);
            callee(&calls).await
        });
        part.await
    }
    let error = handler().await.unwrap_err();
    assert_eq!(sources(error.rejected()), below_handler("callee: Down"));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_policy_by_hand_names_the_failure_before() {
    #[retry(name = "callee")]
    #[timeout("1m")]
    async fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        hangs_later(calls).await
    }
    let policy = RetryPolicy::new().deadline(SECS(10)).name("handler");
    let calls = Cell::new(0);
    let error = policy.run_async(|| callee(&calls)).await.unwrap_err();
    assert_eq!(sources(error.rejected()), below_handler("callee: Down"));
}

#[test]
fn the_deadline_of_an_annotated_retry_names_the_failure_before() {
    #[retry(name = "callee", base_delay = "1ms", on_retry = |_| clock.advance(SECS(10)))]
    #[circuit_breaker]
    fn callee(clock: &testing::Clock) -> Result<(), Failure> {
        let _ = clock;
        Err(Failure::Down)
    }
    #[retry(deadline = "5s", name = "handler")]
    fn handler(clock: &testing::Clock) -> Result<(), Failure> {
        callee(clock)
    }
    let clock = testing::clock();
    let error = handler(&clock).unwrap_err();
    assert_eq!(sources(error.rejected()), below_handler("callee: Down"));
}

/// A policy by hand does not know how to show the error, so a rejection inside has no failure. A
/// policy by hand inside an annotated function has the failure.
#[test]
fn only_an_annotated_retry_knows_the_text_of_a_failure() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    let policy = RetryPolicy::new().base_delay(MS(1));
    let clock = testing::clock();
    let context = Context::new().deadline(SECS(5), "handler");
    let result: Result<(), Failure> = context.run(|| {
        let retry = policy.on(|_: &Failure| true).on_retry(|_| clock.advance(SECS(10)));
        retry.run(|| BREAKER.run(|| Err(Failure::Down)))
    });
    assert_eq!(sources(result.unwrap_err().rejected()), ["the deadline was set by handler"]);

    #[retry(name = "callee", base_delay = "1ms", on_retry = |_| clock.advance(SECS(10)))]
    fn callee(clock: &testing::Clock) -> Result<(), Failure> {
        let _ = clock;
        BREAKER.run(|| Err(Failure::Down))
    }
    let context = Context::new().deadline(SECS(5), "handler");
    let error = context.run(|| callee(&clock)).unwrap_err();
    assert_eq!(sources(error.rejected()), below_handler("callee: Down"));
}

/// Fails once and then succeeds, for an even number; hangs for an odd number.
#[retry(name = "work", base_delay = "0ms")]
async fn work(number: u32, calls: &Cell<u32>) -> Result<(), Failure> {
    match number % 2 {
        0 if is_first(calls) => Err(Failure::Down),
        0 => Ok(()),
        _ => pending().await,
    }
}

/// The sources of the rejection of a call that hangs without a failure.
fn of_hanging(result: Result<(), Failure>) -> Vec<String> {
    sources(result.unwrap_err().rejected())
}

/// A call with the deadline of an earlier call has no failure of that call: also in the same place
/// of memory, and at the same time.
#[tokio::test(start_paused = true)]
async fn a_later_call_has_no_failure_of_an_earlier_call() {
    #[timeout("5s", name = "page")]
    async fn page(number: u32) -> Result<(), Failure> {
        work(number, &Cell::new(0)).await
    }
    for _ in 0..3 {
        assert!(Box::pin(page(0)).await.is_ok());
        assert_eq!(of_hanging(Box::pin(page(1)).await), [""; 0]);
    }
    // The failure is recorded at the first poll.
    let mut dropped = Box::pin(page(0));
    let _ = futures::poll!(dropped.as_mut());
    drop(dropped);
    assert_eq!(of_hanging(Box::pin(page(1)).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn two_scopes_of_one_context_have_failures_of_their_own() {
    #[retry(name = "leaf", base_delay = "0ms")]
    fn leaf(calls: &Cell<u32>) -> Result<(), Failure> {
        if is_first(calls) { Err(Failure::Down) } else { Ok(()) }
    }
    #[circuit_breaker(name = "guarded")]
    fn guarded() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    let import = Context::new().deadline(SECS(1), "import");
    import.run(|| leaf(&Cell::new(0))).unwrap();
    let rejected = import.run(|| {
        clock.advance(SECS(2));
        guarded().unwrap_err()
    });
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!(sources(&rejected), ["the deadline was set by import"]);
}

/// A future of a context may move between its polls.
#[tokio::test(start_paused = true)]
async fn a_moved_future_keeps_its_failure() {
    #[retry(name = "callee", base_delay = "1ms")]
    async fn callee(calls: &Cell<u32>) -> Result<(), Failure> {
        hangs_later(calls).await
    }
    #[timeout("1m")]
    async fn handler(calls: &Cell<u32>) -> Result<(), Failure> {
        callee(calls).await
    }
    let calls = Cell::new(0);
    let import = Context::new().deadline(SECS(10), "import");
    let mut future = import.scope(Box::pin(handler(&calls)));
    let first = std::future::poll_fn(|cx| std::pin::Pin::new(&mut future).poll(cx).map(|_| ()));
    assert!(futures::poll!(std::pin::pin!(first)).is_pending());
    let moved = Box::new(future);
    let error = moved.await.unwrap_err();
    assert_eq!(sources(error.rejected()), ["the deadline was set by import", "callee: Down"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_failure_is_cut() {
    #[retry(name = "callee", on = |_: &Long| true)]
    async fn callee(calls: &Cell<u32>) -> Result<(), Long> {
        if is_first(calls) { Err(Long::Failed("x".repeat(100_000))) } else { pending().await }
    }
    #[timeout("10s")]
    async fn handler(calls: &Cell<u32>) -> Result<(), Long> {
        callee(calls).await
    }
    let Long::Rejected(rejected) = handler(&Cell::new(0)).await.unwrap_err() else {
        panic!("a timeout")
    };
    let text = rejected.source().expect("the failure").to_string();
    assert!(text.starts_with("callee: ") && text.ends_with('…'));
    assert_eq!(text.len(), 1024);
}

#[derive(Debug, thiserror::Error)]
enum Long {
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Rejected(#[from] Rejected),
}
