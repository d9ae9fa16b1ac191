//! Equivalents of predicates, results, hooks and policies.

use std::cell::RefCell;
use std::time::Duration;

use resilience::{FailureClass, RetryEvent, RetryPolicy, fallback, retry, testing};

use crate::{Calls, Down};

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum ApiError {
    Connection,
    Timeout,
    Status(u16),
}

#[retry(on = |error| matches!(error, ApiError::Connection | ApiError::Timeout))]
fn listed(calls: &mut Calls, error: ApiError) -> Result<(), ApiError> {
    calls.begin();
    Err(error)
}

#[retry(on = |error| !matches!(error, ApiError::Status(..500)))]
fn given_up(calls: &mut Calls, error: ApiError) -> Result<(), ApiError> {
    calls.begin();
    Err(error)
}

#[test]
fn only_listed_errors_are_retried() {
    for (error, by_list, by_give_up) in [
        (ApiError::Connection, 3, 3),
        (ApiError::Timeout, 3, 3),
        (ApiError::Status(404), 1, 1),
        (ApiError::Status(503), 1, 3),
    ] {
        let (mut first, mut second) = (Calls::new(), Calls::new());
        assert_eq!(listed(&mut first, error), Err(error));
        assert_eq!(given_up(&mut second, error), Err(error));
        assert_eq!((first.starts.len(), second.starts.len()), (by_list, by_give_up), "{error:?}");
    }
}

#[retry(attempts = 5, backoff = "fixed", base_delay = "1s", on_ok = Option::is_none, on = |_| false)]
fn poll(calls: &mut Calls, ready: usize) -> Result<Option<u32>, Down> {
    Ok((calls.begin() >= ready).then_some(7))
}

#[retry(attempts = 5, backoff = "fixed", base_delay = "1s", on_ok = Option::is_none, on = |_| false)]
fn poll_broken(calls: &mut Calls) -> Result<Option<u32>, Down> {
    calls.begin();
    Err(Down)
}

/// `retry_on_result` of `retrying` also retries exceptions.
#[retry(attempts = 5, backoff = "fixed", base_delay = "1s", on_ok = Option::is_none)]
fn poll_all(calls: &mut Calls) -> Result<Option<u32>, Down> {
    if calls.begin() == 1 { Err(Down) } else { Ok(Some(7)) }
}

#[test]
fn a_value_may_mean_not_yet() {
    let mut calls = Calls::new();
    assert_eq!(poll(&mut calls, 3), Ok(Some(7)));
    assert_eq!(calls.waits(), [1.0, 1.0]);

    let mut calls = Calls::new();
    assert_eq!(poll(&mut calls, 9), Ok(None)); // `tenacity` raises a `RetryError`
    assert_eq!(calls.starts.len(), 5);

    let mut calls = Calls::new();
    assert_eq!((poll_broken(&mut calls), calls.starts.len()), (Err(Down), 1));
    let mut calls = Calls::new();
    assert_eq!((poll_all(&mut calls), calls.starts.len()), (Ok(Some(7)), 2));
}

#[retry(attempts = 3)]
fn raises(calls: &mut Calls) -> Result<Vec<u32>, usize> {
    Err(calls.begin())
}

#[fallback(value = Vec::new())]
#[retry(attempts = 3)]
fn answers(calls: &mut Calls) -> Result<Vec<u32>, usize> {
    Err(calls.begin())
}

#[test]
fn the_last_error_or_the_fallback_is_returned() {
    assert_eq!(raises(&mut Calls::new()), Err(3));
    let mut calls = Calls::new();
    assert_eq!((answers(&mut calls), calls.starts.len()), (Ok(Vec::new()), 3));
}

type Log = RefCell<Vec<String>>;

#[retry(
    attempts = 3,
    backoff = "fixed",
    base_delay = "2s",
    on_retry = |event| record(log, event),
    on_give_up = |event| log.borrow_mut().push(format!("{} failed: the end", event.attempt)),
)]
fn load(log: &Log) -> Result<(), &'static str> {
    log.borrow_mut().push("call".into());
    Err("down")
}

fn record(log: &Log, event: &RetryEvent<'_, &'static str>) {
    log.borrow_mut().push(format!("{} {:?} {:?}", event.attempt, event.error, event.delay));
}

/// `before_sleep` and `on_backoff` follow each failure except the last, `on_giveup` the last.
#[test]
fn hooks_are_called_like_the_hooks_in_python() {
    let (_guard, log) = (testing::no_waits(), Log::default());
    assert_eq!(load(&log), Err("down"));
    let expected = r#"call, 1 Some("down") 2s, call, 2 Some("down") 2s, call, 3 failed: the end"#;
    assert_eq!(log.borrow().join(", "), expected);
}

struct Reply {
    status: u16,
    retry_after: u64,
}

impl Reply {
    fn busy(&self) -> FailureClass {
        match self.status {
            429 => FailureClass::throttled(Some(Duration::from_secs(self.retry_after))),
            _ => FailureClass::permanent(),
        }
    }
}

#[retry(attempts = 3, on_ok = Reply::busy)]
fn get(calls: &mut Calls, retry_after: u64) -> Result<Reply, Down> {
    let status = if calls.begin() == 3 { 200 } else { 429 };
    Ok(Reply { status, retry_after })
}

#[test]
fn the_delay_of_a_server_is_exact_or_ends_the_call() {
    let mut calls = Calls::new();
    assert!(get(&mut calls, 7).is_ok_and(|reply| reply.status == 200));
    assert_eq!(calls.waits(), [7.0, 7.0]);

    let mut calls = Calls::new();
    assert!(get(&mut calls, 61).is_ok_and(|reply| reply.status == 429));
    assert_eq!(calls.starts.len(), 1);
}

static RETRY: RetryPolicy = RetryPolicy::new().attempts(3);

#[test]
fn a_policy_retries_without_an_attribute() {
    let mut calls = Calls::new();
    let outcome: Result<(), usize> = RETRY.run(|| Err(calls.begin()));
    assert_eq!(outcome, Err(3));

    let mut calls = Calls::new();
    let outcome: Result<(), usize> = RETRY.attempts(5).run(|| Err(calls.begin())); // `retry_with`
    assert_eq!(outcome, Err(5));
}

/// `@retry` without arguments. For `tenacity` and `retrying` there is no limit.
#[retry]
fn plain(calls: &mut Calls) -> Result<(), Down> {
    calls.begin();
    Err(Down)
}

#[test]
fn the_default_is_three_attempts() {
    let _draws = testing::draws([0.999_999]);
    let mut calls = Calls::new();
    assert_eq!(plain(&mut calls), Err(Down));
    assert!(calls.waits().iter().zip([0.1, 0.2]).all(|(wait, most)| (most - wait).abs() < 1e-5));
    assert_eq!(calls.starts.len(), 3);
}
