//! Calls whose last failure says less than the call: a claim is released only if no part of the
//! call was sent.

use std::time::Duration;

use resilience::{
    Bulkhead, IdempotencyRejection, RejectedKind, bulkhead, idempotent, retry, timeout,
};

use super::{Answer, Failure, Runs, classify, rejected_as};

const UNKNOWN: RejectedKind = RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown);

/// The call waits for a permit after a rejection by the full queue.
#[tokio::test(start_paused = true)]
async fn a_timeout_after_a_rejection_releases_the_claim() {
    static FULL: Bulkhead = Bulkhead::new(1).queue(1).wait(Duration::from_secs(1));
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "lost_calls.wait"
    )]
    #[timeout("5s")]
    #[retry(attempts = 3, on = classify, on_rejection = "wait", max_retry_after = "3s")]
    #[bulkhead(bulkhead = FULL)]
    async fn call(id: u32) -> Answer {
        Ok(id)
    }
    let permit = FULL.try_acquire();
    let (one, two) = tokio::join!(call(1), call(2));
    drop(permit);
    let timed_out = || rejected_as(RejectedKind::TimedOut);
    assert_eq!((one, two), (timed_out(), timed_out()));
    assert_eq!((call(1).await, call(2).await), (Ok(1), Ok(2)));
}

/// The timeout ends in the delay before the third attempt.
#[tokio::test(start_paused = true)]
async fn a_timeout_in_a_delay_releases_the_claim_if_no_attempt_was_sent() {
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "lost_calls.delay"
    )]
    #[timeout("1s")]
    #[retry(attempts = 5, on = classify, base_delay = "600ms", jitter = "none")]
    async fn call(id: u32, #[skip] failure: &Failure, #[skip] runs: &Runs) -> Answer {
        if runs.next() < 3 { Err(failure.clone()) } else { Ok(id) }
    }
    for (id, failure, again) in
        [(1, Failure::Refused, Ok(1)), (2, Failure::Lost, rejected_as(UNKNOWN))]
    {
        let runs = Runs::default();
        assert_eq!(call(id, &failure, &runs).await, rejected_as(RejectedKind::TimedOut));
        assert_eq!(runs.count(), 2);
        assert_eq!(call(id, &failure, &runs).await, again);
    }
}
