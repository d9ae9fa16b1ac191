//! Pairs of attributes in both orders, with different results.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::time::Duration;

use resilience::{
    CircuitBreaker, CircuitState, RejectedKind, bulkhead, circuit_breaker, fallback, rate_limit,
    retry, testing, timeout,
};
use tokio::time::Instant;

use crate::Failure;

fn down(calls: &Cell<u32>) -> Result<u32, Failure> {
    calls.set(calls.get() + 1);
    Err(Failure::Down)
}

fn failures(name: &str) -> u32 {
    circuit_breaker(name).map_or(0, |breaker| breaker.snapshot().consecutive_failures)
}

#[test]
fn a_breaker_counts_attempts_inside_a_retry_and_calls_outside() {
    #[retry(attempts = 3, base_delay = "1ms")]
    #[circuit_breaker(failure_threshold = 100, name = "inside retry")]
    fn inside(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    #[circuit_breaker(failure_threshold = 100, name = "outside retry")]
    #[retry(attempts = 3, base_delay = "1ms")]
    fn outside(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    assert_eq!((inside(&calls), outside(&calls)), (Err(Failure::Down), Err(Failure::Down)));
    assert_eq!(calls.get(), 6);
    assert_eq!((failures("inside retry"), failures("outside retry")), (3, 1));
}

#[test]
fn a_fallback_outside_a_retry_replaces_the_last_failure_and_inside_each_failure() {
    #[fallback(value = 7)]
    #[retry(attempts = 3, base_delay = "1ms")]
    fn outside(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    #[retry(attempts = 3, base_delay = "1ms")]
    #[fallback(value = 7, on = |failure| *failure == Failure::Down)]
    fn inside(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    #[retry(attempts = 3, base_delay = "1ms")]
    #[fallback(value = 7, on = |failure| *failure == Failure::Wrong)]
    fn declines(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    assert_eq!((outside(&calls), calls.take()), (Ok(7), 3));
    assert_eq!((inside(&calls), calls.take()), (Ok(7), 1));
    assert_eq!((declines(&calls), calls.take()), (Err(Failure::Down), 3));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_limits_attempts_inside_a_retry_and_the_call_outside() {
    #[retry(attempts = 3, backoff = "fixed", base_delay = "10ms")]
    #[timeout("50ms")]
    async fn inside() -> Result<u32, Failure> {
        pending().await
    }
    #[timeout("50ms")]
    #[retry(attempts = 3, backoff = "fixed", base_delay = "10ms")]
    async fn outside() -> Result<u32, Failure> {
        pending().await
    }
    let start = Instant::now();
    assert!(inside().await.is_err());
    assert_eq!(start.elapsed(), Duration::from_millis(50 + 10 + 50 + 10 + 50));
    let start = Instant::now();
    assert!(outside().await.is_err());
    assert_eq!(start.elapsed(), Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_counts_a_timeout_inside_and_ignores_a_timeout_outside() {
    #[circuit_breaker(failure_threshold = 100, name = "outside timeout")]
    #[timeout("50ms")]
    async fn outside() -> Result<u32, Failure> {
        pending().await
    }
    #[timeout("50ms")]
    #[circuit_breaker(failure_threshold = 100, name = "inside timeout", on_cancel = "ignore")]
    async fn inside() -> Result<u32, Failure> {
        pending().await
    }
    assert!(outside().await.is_err() && inside().await.is_err());
    assert_eq!((failures("outside timeout"), failures("inside timeout")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_releases_its_permit_between_attempts_only_inside_a_retry() {
    use resilience::Bulkhead;

    static INSIDE: Bulkhead = Bulkhead::new(1);
    static OUTSIDE: Bulkhead = Bulkhead::new(1);

    #[retry(attempts = 2, backoff = "fixed", base_delay = "1s")]
    #[bulkhead(bulkhead = INSIDE)]
    async fn inside() -> Result<u32, Failure> {
        Err(Failure::Down)
    }
    #[bulkhead(bulkhead = &OUTSIDE)]
    #[retry(attempts = 2, backoff = "fixed", base_delay = "1s")]
    async fn outside() -> Result<u32, Failure> {
        Err(Failure::Down)
    }
    let calls = async { tokio::join!(inside(), outside()) };
    let watch = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        (INSIDE.running(), OUTSIDE.running())
    };
    let (results, running) = tokio::join!(calls, watch);
    assert_eq!(results, (Err(Failure::Down), Err(Failure::Down)));
    assert_eq!(running, (0, 1));
    assert_eq!((INSIDE.running(), OUTSIDE.running()), (0, 0));
}

#[test]
fn a_rate_limit_counts_attempts_inside_a_retry_and_calls_outside() {
    #[retry(attempts = 3, base_delay = "1ms")]
    #[rate_limit(rate = 1, per = "1h", burst = 2)]
    fn inside(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    #[rate_limit(rate = 1, per = "1h", burst = 2)]
    #[retry(attempts = 3, base_delay = "1ms")]
    fn outside(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    let Err(Failure::Rejected(rejected)) = inside(&calls) else { panic!("the third attempt") };
    assert_eq!((rejected.kind(), calls.take()), (RejectedKind::RateLimited, 2));
    assert_eq!((outside(&calls), calls.take()), (Err(Failure::Down), 3));
}

#[test]
fn an_open_breaker_takes_no_permit_of_a_rate_limit_inside() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[circuit_breaker(breaker = BREAKER)]
    #[rate_limit(rate = 1, per = "1h", burst = 2)]
    fn call(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let calls = Cell::new(0);
    assert_eq!(call(&calls), Err(Failure::Down));
    for _ in 0..3 {
        let Err(Failure::Rejected(rejected)) = call(&calls) else { panic!("open") };
        assert_eq!(rejected.kind(), RejectedKind::CircuitOpen);
    }
    BREAKER.reset();
    assert_eq!(
        (call(&calls), calls.get()),
        (Err(Failure::Down), 2),
        "one permit of the burst was left"
    );
}

thread_local!(static ASKED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

fn ask(layer: &'static str) -> bool {
    ASKED.with_borrow_mut(|asked| asked.push(layer));
    true
}

/// The layers call their `on` predicates from the inside out.
#[test]
fn the_top_attribute_is_outermost_also_with_foreign_attributes_between() {
    #[fallback(value = 7, on = |_| ask("fallback"))]
    #[allow(unused_variables, reason = "an attribute without an effect on the body")]
    #[circuit_breaker(failure_threshold = 100, on = |_| ask("breaker"))]
    #[tracing::instrument(skip_all)]
    #[retry(attempts = { 1 }, on = |_| ask("retry"))]
    #[inline]
    #[rate_limit(rate = 100)]
    #[must_use = "an outcome"]
    #[allow(clippy::needless_pass_by_value, reason = "an owned argument")]
    fn call(text: String) -> Result<u32, Failure> {
        ask("body");
        Err(Failure::Down)
    }
    assert_eq!(call("a".into()), Ok(7));
    assert_eq!(ASKED.take(), ["body", "retry", "breaker", "fallback"]);
}

#[test]
fn attributes_in_cfg_attr_are_recognized() {
    #[cfg_attr(all(), fallback(value = 7))]
    #[cfg_attr(all(), retry(attempts = 3, base_delay = "1ms"))]
    fn call(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    assert_eq!((call(&calls), calls.get()), (Ok(7), 3));
}

#[test]
fn attributes_named_by_paths_are_recognized() {
    #[resilience::fallback(value = 7)]
    #[::resilience::retry(attempts = 3, base_delay = "1ms")]
    #[circuit_breaker(failure_threshold = 2)]
    fn call(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    assert_eq!((call(&calls), calls.get()), (Ok(7), 2));
}

#[test]
fn two_breakers_count_independently() {
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    static INNER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[circuit_breaker(breaker = OUTER, on = |failure| *failure == Failure::Wrong)]
    #[circuit_breaker(breaker = INNER, on = |failure| *failure == Failure::Down)]
    fn call() -> Result<u32, Failure> {
        Err(Failure::Down)
    }
    assert_eq!(call(), Err(Failure::Down));
    assert_eq!((OUTER.state(), INNER.state()), (CircuitState::Closed, CircuitState::Open));
}

/// A breaker made by hand has a setting for cancelled calls, so the order is not an error.
#[tokio::test(start_paused = true)]
async fn a_timeout_may_stand_above_a_breaker_made_by_hand() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(1).on_cancel(resilience::OnCancel::Failure);
    #[timeout("50ms")]
    #[circuit_breaker(breaker = BREAKER)]
    async fn call() -> Result<u32, Failure> {
        pending().await
    }
    assert!(call().await.is_err());
    assert_eq!(BREAKER.state(), CircuitState::Open);
}

/// Each layer with `on_ok` treats a busy value as a failure. The order decides what is counted.
#[tokio::test(start_paused = true)]
async fn busy_values_are_failures_for_each_layer_with_on_ok() {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a predicate borrows")]
    const fn is_busy(status: &u32) -> bool {
        *status >= 500
    }
    #[retry(attempts = 3, on_ok = is_busy)]
    #[circuit_breaker(failure_threshold = 2, on_ok = is_busy, name = "busy inside")]
    async fn inside(calls: &Cell<u32>) -> Result<u32, Failure> {
        calls.set(calls.get() + 1);
        std::future::ready(Ok(503)).await
    }
    #[circuit_breaker(failure_threshold = 2, on_ok = is_busy, name = "busy outside")]
    #[retry(attempts = 3, on_ok = is_busy)]
    fn outside(calls: &Cell<u32>) -> Result<u32, Failure> {
        calls.set(calls.get() + 1);
        Ok(503)
    }
    #[fallback(value = 304, on_ok = is_busy)]
    #[retry(attempts = 3, on_ok = is_busy)]
    #[circuit_breaker(failure_threshold = 2, on_ok = is_busy)]
    fn replaced(calls: &Cell<u32>) -> Result<u32, Failure> {
        calls.set(calls.get() + 1);
        Ok(503)
    }
    // A layer without `on_ok` counts any value as a success.
    #[retry(attempts = 3, on_ok = is_busy)]
    #[circuit_breaker(failure_threshold = 2, name = "busy ignored")]
    fn ignored() -> Result<u32, Failure> {
        Ok(503)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    // The second attempt opens the circuit. The next call finds the circuit open.
    assert_eq!(inside(&calls).await, Ok(503));
    let Err(Failure::Rejected(rejected)) = inside(&calls).await else { panic!("open") };
    assert_eq!((rejected.kind(), calls.take()), (RejectedKind::CircuitOpen, 2));
    assert_eq!((outside(&calls), failures("busy outside"), calls.take()), (Ok(503), 1, 3));
    assert_eq!((replaced(&calls), calls.take()), (Ok(304), 2));
    assert_eq!(
        (replaced(&calls), calls.take()),
        (Ok(304), 0),
        "the rejection of the open breaker is replaced as well"
    );
    assert_eq!((ignored(), failures("busy ignored")), (Ok(503), 0));
}

#[test]
fn a_module_named_like_the_library_leads_to_its_attributes() {
    mod resilience_exports {
        pub(super) use resilience::{fallback, retry};
    }
    #[resilience_exports::fallback(value = 7)]
    #[resilience_exports::retry(attempts = 5)]
    fn call(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    assert_eq!((call(&calls), calls.get()), (Ok(7), 5));
}

#[test]
fn a_layer_inside_keeps_arguments_in_other_brackets() {
    #[fallback(value = 7)]
    #[retry { attempts = 5 }]
    fn braces(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    #[fallback(value = 7)]
    #[retry[attempts = 6]]
    fn brackets(calls: &Cell<u32>) -> Result<u32, Failure> {
        down(calls)
    }
    let (_guard, calls) = (testing::no_waits(), Cell::new(0));
    assert_eq!((braces(&calls), calls.take()), (Ok(7), 5));
    assert_eq!((brackets(&calls), calls.take()), (Ok(7), 6));
}
