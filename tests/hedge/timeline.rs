//! The start of each attempt.

use std::time::Duration;

use resilience::{Classify, Rejected, hedge, timeout};

use crate::{Log, sleep};

#[derive(Debug, PartialEq, Classify)]
enum Error {
    #[transient]
    Down,
    #[throttled]
    Busy,
    #[permanent]
    Wrong,
}

#[hedge(after = "500ms", max = 3, idempotent)]
async fn slow(log: &Log, takes: u64) -> Result<usize, Error> {
    let (attempt, _running) = log.start();
    sleep(takes).await;
    Ok(attempt)
}

/// gRPC proposal A6: a call at 1 ms with `hedgingDelay` 500 ms and four attempts.
#[tokio::test(start_paused = true)]
async fn attempts_start_at_the_times_of_the_example_of_grpc() {
    let log = Log::new();
    sleep(1).await;
    assert_eq!(slow(&log, 2000).await, Ok(0));
    assert_eq!(log.starts(), [1, 501, 1001, 1501]);
    assert_eq!(log.ends(), [2001; 4], "the others are dropped with the success");
}

#[tokio::test(start_paused = true)]
async fn a_fast_call_starts_no_hedge() {
    let log = Log::new();
    assert_eq!(slow(&log, 499).await, Ok(0));
    assert_eq!(log.starts(), [0]);
    assert_eq!(log.now(), 499);
}

#[hedge(after = "50ms", idempotent)]
async fn slow_first(log: &Log) -> Result<usize, Error> {
    let (attempt, _running) = log.start();
    sleep(if attempt == 0 { 1000 } else { 10 }).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn the_first_success_wins_and_the_loser_is_dropped() {
    let log = Log::new();
    assert_eq!(slow_first(&log).await, Ok(1));
    assert_eq!((log.starts(), log.ends()), (vec![0, 50], vec![60, 60]));
}

#[hedge(after = "500ms", max = 3, idempotent)]
async fn failing(log: &Log, error: fn(usize) -> Error, takes: u64) -> Result<usize, Error> {
    let (attempt, _running) = log.start();
    sleep(takes).await;
    Err(error(attempt))
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_starts_the_next_attempt_at_once() {
    let log = Log::new();
    assert_eq!(failing(&log, |_| Error::Down, 20).await, Err(Error::Down));
    assert_eq!(log.starts(), [0, 20, 40, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_failure_starts_no_attempt() {
    let log = Log::new();
    assert_eq!(failing(&log, |_| Error::Busy, 20).await, Err(Error::Busy));
    assert_eq!(log.starts(), [0]);
    let log = Log::new();
    // Two attempts run, the first is throttled at 600 ms: no third starts at 1000 ms.
    assert_eq!(failing(&log, |_| Error::Busy, 600).await, Err(Error::Busy));
    assert_eq!((log.starts(), log.now()), (vec![0, 500], 1100));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_ends_the_call() {
    let log = Log::new();
    let error = |attempt| if attempt == 0 { Error::Wrong } else { Error::Down };
    assert_eq!(failing(&log, error, 600).await, Err(Error::Wrong));
    assert_eq!((log.starts(), log.ends()), (vec![0, 500], vec![600, 600]));
}

#[hedge(after = "50ms", idempotent)]
async fn fails_first(log: &Log, fails_after: u64) -> Result<usize, Error> {
    let (attempt, _running) = log.start();
    if attempt == 0 {
        sleep(fails_after).await;
        return Err(Error::Down);
    }
    sleep(100).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_failure_waits_for_the_other_attempt() {
    let log = Log::new();
    assert_eq!(fails_first(&log, 70).await, Ok(1));
    assert_eq!((log.starts(), log.now()), (vec![0, 50], 150));
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_delay_replaces_the_delay() {
    let log = Log::new();
    assert_eq!(fails_first(&log, 7).await, Ok(1));
    assert_eq!((log.starts(), log.now()), (vec![0, 7], 107));
}

#[hedge(after = "50ms", idempotent, on = |error: &u16| *error >= 500, on_ok = |value: &u16| *value >= 500)]
async fn with_predicates(log: &Log, first: Result<u16, u16>) -> Result<u16, u16> {
    let (attempt, _running) = log.start();
    if attempt == 0 { first } else { Ok(200) }
}

#[tokio::test(start_paused = true)]
async fn predicates_decide_about_errors_and_values() {
    for (first, expected) in
        [(Err(503), Ok(200)), (Ok(503), Ok(200)), (Err(404), Err(404)), (Ok(201), Ok(201))]
    {
        assert_eq!(with_predicates(&Log::new(), first).await, expected);
    }
}

const DELAY: Duration = Duration::from_millis(30);

#[hedge(after = DELAY, idempotent = true)]
async fn constant_delay(log: &Log) -> Option<usize> {
    let (attempt, _running) = log.start();
    sleep(if attempt == 0 { 1000 } else { 10 }).await;
    Some(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_constant_can_be_the_delay() {
    let log = Log::new();
    assert_eq!(constant_delay(&log).await, Some(1));
    assert_eq!(log.starts(), [0, 30]);
}

#[hedge(after = "50ms", idempotent)]
#[timeout("20ms")]
async fn each_attempt_has_a_timeout(log: &Log) -> Result<usize, Rejected> {
    let (attempt, _running) = log.start();
    sleep(if attempt == 0 { 1000 } else { 10 }).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_below_is_a_failure_of_an_attempt() {
    let log = Log::new();
    assert_eq!(each_attempt_has_a_timeout(&log).await.ok(), Some(1));
    assert_eq!(log.starts(), [0, 20]);
}

#[timeout("100ms")]
#[hedge(after = "50ms", idempotent)]
async fn the_call_has_a_timeout(log: &Log) -> Result<usize, Rejected> {
    let (attempt, _running) = log.start();
    sleep(1000).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_drops_all_attempts() {
    let log = Log::new();
    assert!(the_call_has_a_timeout(&log).await.is_err());
    assert_eq!((log.starts(), log.ends()), (vec![0, 50], vec![100, 100]));
}
