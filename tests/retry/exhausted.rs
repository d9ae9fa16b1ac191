//! `exhausted`: the error for a value that is declined after the last attempt.

use std::cell::Cell;

use resilience::{StopReason, fallback, retry, testing};

use crate::count;

#[derive(Debug, PartialEq)]
enum JobError {
    StillRunning(u32),
    Down,
}

#[test]
fn the_last_declined_value_becomes_an_error() {
    #[retry(attempts = 3, on_ok = |&n| n < 5, exhausted = JobError::StillRunning)]
    fn poll(calls: &Cell<u32>, step: u32) -> Result<u32, JobError> {
        Ok(count(calls) * step)
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!((poll(&calls, 1), calls.replace(0)), (Err(JobError::StillRunning(3)), 3));
    // Accepted at the second attempt, and at the last.
    assert_eq!((poll(&calls, 3), calls.replace(0)), (Ok(6), 2));
    assert_eq!((poll(&calls, 2), calls.replace(0)), (Ok(6), 3));
}

#[test]
fn async_functions_and_closures_with_arguments_are_possible() {
    #[retry(attempts = 2, on_ok = |n| *n < 5, exhausted = |n| format!("{job} has {n}"))]
    async fn poll(calls: &Cell<u32>, job: &str) -> Result<u32, String> {
        Ok(count(calls))
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    let result = futures::executor::block_on(poll(&calls, "job 7"));
    assert_eq!((result, calls.get()), (Err("job 7 has 2".into()), 2));
}

#[test]
fn an_error_of_the_last_attempt_is_returned_unchanged() {
    #[retry(attempts = 2, on_ok = |_| true, exhausted = JobError::StillRunning)]
    fn poll(calls: &Cell<u32>) -> Result<u32, JobError> {
        if count(calls) == 2 { Err(JobError::Down) } else { Ok(1) }
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!((poll(&calls), calls.get()), (Err(JobError::Down), 2));
}

/// Whatever ends the call, the value is declined.
#[test]
fn every_reason_to_give_up_makes_the_error() {
    #[retry(
        attempts = "unlimited",
        deadline = "1s",
        backoff = "fixed",
        base_delay = "400ms",
        on_ok = |_| true,
        exhausted = JobError::StillRunning,
        on_give_up = |event| reason.set(Some(event.reason)),
    )]
    fn until_deadline(
        calls: &Cell<u32>,
        reason: &Cell<Option<StopReason>>,
    ) -> Result<u32, JobError> {
        Ok(count(calls))
    }
    let _clock = testing::clock();
    let reason = Cell::new(None);
    assert_eq!(until_deadline(&Cell::new(0), &reason), Err(JobError::StillRunning(3)));
    assert_eq!(reason.get(), Some(StopReason::Deadline));
}

#[test]
fn a_declined_option_becomes_none() {
    #[retry(attempts = 2, on_ok = |_| true, exhausted = |_| ())]
    fn poll() -> Option<u32> {
        Some(1)
    }
    let _guard = testing::no_waits();
    assert_eq!(poll(), None);
}

#[test]
fn a_fallback_above_replaces_the_error() {
    #[fallback(value = 0)]
    #[retry(attempts = 2, on_ok = |_| true, exhausted = JobError::StillRunning)]
    fn poll(calls: &Cell<u32>) -> Result<u32, JobError> {
        Ok(count(calls))
    }
    let _guard = testing::no_waits();
    assert_eq!(poll(&Cell::new(0)), Ok(0));
}
