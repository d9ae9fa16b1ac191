//! `error_sink`: takes the error of each attempt that a further attempt replaces.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use resilience::{FailureClass, retry, testing};

use crate::count;

/// Neither `Clone` nor `Send`.
#[derive(Debug, PartialEq)]
struct Failure(u32, Rc<()>);

fn failure(number: u32) -> Failure {
    Failure(number, Rc::new(()))
}

#[test]
fn the_sink_owns_the_replaced_errors_and_the_caller_the_last() {
    #[retry(attempts = 3, error_sink = |error| sink.borrow_mut().push(error))]
    fn call(calls: &Cell<u32>, sink: &RefCell<Vec<Failure>>) -> Result<(), Failure> {
        Err(failure(count(calls)))
    }
    let _guard = testing::no_waits();
    let sink = RefCell::default();
    assert_eq!(call(&Cell::new(0), &sink), Err(failure(3)));
    assert_eq!(sink.into_inner(), [failure(1), failure(2)]);
}

#[tokio::test(start_paused = true)]
async fn the_future_stays_send_and_hooks_run_before_the_sink() {
    thread_local!(static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });
    fn keep(Failure(number, _): Failure) {
        SEEN.with_borrow_mut(|seen| seen.push(format!("sink {number}")));
    }
    fn number(event: &resilience::RetryEvent<'_, Failure>) {
        let error = event.error.expect("an error");
        SEEN.with_borrow_mut(|seen| seen.push(format!("hook {}", error.0)));
    }
    #[retry(attempts = 2, error_sink = keep, on_retry = number)]
    async fn call(first: u32) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        Err(failure(first))
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    assert_eq!(is_send(call(7)).await, Err(failure(7)));
    assert_eq!(SEEN.take(), ["hook 7", "sink 7"]);
}

#[test]
fn a_declined_value_and_a_final_error_do_not_reach_the_sink() {
    #[retry(attempts = 3, on_ok = |&n| n < 2, error_sink = |_| {
        count(sunk);
    })]
    fn poll(calls: &Cell<u32>, sunk: &Cell<u32>) -> Result<u32, Failure> {
        Ok(count(calls))
    }
    #[retry(on = |_| FailureClass::permanent(), error_sink = |_| {
        count(sunk);
    })]
    fn fail(sunk: &Cell<u32>) -> Result<u32, Failure> {
        Err(failure(1))
    }
    let _guard = testing::no_waits();
    let sunk = Cell::new(0);
    assert_eq!(poll(&Cell::new(0), &sunk), Ok(2));
    assert_eq!(fail(&sunk), Err(failure(1)));
    assert_eq!(sunk.get(), 0);
}
