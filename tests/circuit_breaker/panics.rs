//! Panics in async code: only the own panic of a call is a failure.

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::task::Poll;

use futures::FutureExt;
use futures::executor::block_on;
use resilience::{CircuitBreaker, CircuitState, circuit_breaker, timeout};

use crate::{Failure, is_open};

async fn yields() {
    let mut first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

async fn panics() -> Result<(), Failure> {
    yields().await;
    panic!("in the body")
}

fn caught(future: impl Future) {
    assert!(block_on(AssertUnwindSafe(future).catch_unwind()).is_err());
}

#[test]
fn the_panic_of_a_neighbor_is_neutral() {
    #[circuit_breaker(failure_threshold = 1, name = "neighbor")]
    async fn healthy() -> Result<(), Failure> {
        pending().await
    }
    #[circuit_breaker(failure_threshold = 1, name = "neighbor above a timeout")]
    #[timeout("1h")]
    async fn limited() -> Result<(), Failure> {
        pending().await
    }
    let by_hand = CircuitBreaker::new().failure_threshold(1);
    caught(async { futures::join!(by_hand.run_async(pending::<Result<(), Failure>>()), panics()) });
    caught(async { futures::join!(healthy(), panics()) });
    caught(async { futures::join!(limited(), panics()) });
    let state = |name: &str| circuit_breaker(name).unwrap().state();
    assert_eq!(by_hand.state(), CircuitState::Closed);
    assert_eq!(state("neighbor"), CircuitState::Closed);
    assert_eq!(state("neighbor above a timeout"), CircuitState::Closed);
}

#[test]
fn the_own_panic_of_an_async_call_is_a_failure() {
    #[circuit_breaker(failure_threshold = 1, name = "own panic")]
    async fn own() -> Result<(), Failure> {
        panics().await
    }
    #[circuit_breaker(failure_threshold = 1, name = "own panic in a timeout")]
    #[timeout("1h")]
    async fn limited() -> Result<(), Failure> {
        panics().await
    }
    let by_hand = CircuitBreaker::new().failure_threshold(1);
    caught(by_hand.run_async(panics()));
    caught(own());
    caught(limited());
    assert!(is_open(&by_hand));
    assert!(is_open(circuit_breaker("own panic").unwrap()));
    assert!(is_open(circuit_breaker("own panic in a timeout").unwrap()));
}

#[test]
fn both_breakers_of_nested_functions_count_a_panic_and_a_neighbor_counts_none() {
    #[circuit_breaker(failure_threshold = 1, name = "inner panic")]
    async fn inner() -> Result<(), Failure> {
        panics().await
    }
    #[circuit_breaker(failure_threshold = 1, name = "outer panic")]
    async fn outer() -> Result<(), Failure> {
        inner().await
    }
    let neighbor = CircuitBreaker::new().failure_threshold(1);
    caught(async { futures::join!(neighbor.run_async(pending::<Result<(), Failure>>()), outer()) });
    assert!(is_open(circuit_breaker("inner panic").unwrap()));
    assert!(is_open(circuit_breaker("outer panic").unwrap()));
    assert_eq!(neighbor.state(), CircuitState::Closed);
}

#[test]
fn two_breakers_on_one_function_count_a_panic() {
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    static INNER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[circuit_breaker(breaker = OUTER)]
    #[circuit_breaker(breaker = INNER)]
    async fn both() -> Result<(), Failure> {
        panics().await
    }
    caught(both());
    assert!(is_open(&OUTER) && is_open(&INNER));
}
