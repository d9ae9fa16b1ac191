//! Calls whose last failure says less than the call: a claim is released only if no part of the
//! call was sent.

use std::time::Duration;

use resilience::{
    Coalescer, IdempotencyRejection, RejectedKind, fallback, idempotent, rate_limit, retry, timeout,
};
use tokio::time::sleep;

use super::{Answer, Failure, Runs, classify, rejected_as};

const UNKNOWN: RejectedKind = RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown);

/// The turn of the second call is after the timeout, so the limit rejects the call, and the retry
/// waits.
#[tokio::test(start_paused = true)]
async fn a_timeout_after_a_rejection_releases_the_claim() {
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "lost_calls.wait"
    )]
    #[timeout("5s")]
    #[retry(attempts = 3, on = classify, on_rejection = "wait")]
    #[rate_limit(rate = 1, per = "10s")]
    async fn call(id: u32) -> Answer {
        Ok(id)
    }
    assert_eq!((call(1).await, call(2).await), (Ok(1), rejected_as(RejectedKind::TimedOut)));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(call(2).await, Ok(2));
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

/// Two calls with keys of their own share an execution, whose first attempt is lost.
#[tokio::test(start_paused = true)]
async fn a_lost_attempt_of_a_shared_execution_is_a_lost_attempt_of_each_call() {
    #[retry(attempts = 2, on = classify)]
    async fn bank(runs: &Runs) -> Answer {
        if runs.next() == 1 { Err(Failure::Lost) } else { Err(Failure::Refused) }
    }
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "lost_calls.shared"
    )]
    async fn call(id: u32, #[skip] shared: &Coalescer, #[skip] runs: &Runs) -> Answer {
        shared.run_async(&(), bank(runs)).await
    }
    let (shared, runs) = (Coalescer::new(), Runs::default());
    let (one, two) = tokio::join!(call(1, &shared, &runs), call(2, &shared, &runs));
    assert_eq!((one, two, runs.count()), (Err(Failure::Refused), Err(Failure::Refused), 2));
    for id in [1, 2] {
        assert_eq!(call(id, &shared, &runs).await, rejected_as(UNKNOWN));
    }
}

/// The failure of the replacement says nothing about the first call.
#[tokio::test]
async fn a_failed_fallback_does_not_hide_a_lost_call() {
    fn replica(_: Failure) -> Answer {
        Err(Failure::Refused)
    }
    #[fallback(with = replica, on = classify)]
    async fn bank(failure: &Failure) -> Answer {
        Err(failure.clone())
    }
    #[fallback(with = |_| async { Err(Failure::Refused) }, on = classify)]
    async fn later(failure: &Failure) -> Answer {
        bank(failure).await
    }
    #[fallback(value = Err(Failure::Refused), on = classify, on_ok = |_| true)]
    async fn declined(failure: &Failure) -> Answer {
        bank(failure).await
    }
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "lost_calls.fallback"
    )]
    async fn call(id: u32, #[skip] failure: &Failure, #[skip] runs: &Runs) -> Answer {
        match (runs.next(), id / 10) {
            (1, 1) => bank(failure).await,
            (1, 2) => later(failure).await,
            (1, _) => declined(failure).await,
            _ => Ok(id),
        }
    }
    for kind in [10, 20, 30] {
        let (free, lost) = (kind + 1, kind + 2);
        let cases =
            [(free, Failure::Refused, Ok(free)), (lost, Failure::Lost, rejected_as(UNKNOWN))];
        for (id, failure, again) in cases {
            let runs = Runs::default();
            assert_eq!(call(id, &failure, &runs).await, Err(Failure::Refused));
            assert_eq!(call(id, &failure, &runs).await, again);
        }
    }
}

/// A fallback that succeeds is an outcome as any other.
#[tokio::test]
async fn a_fallback_that_succeeds_hides_the_failure() {
    #[fallback(value = 7)]
    async fn rate(_currency: &str) -> Answer {
        Err(Failure::Lost)
    }
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
        on_interrupted = "unknown",
        name = "lost_calls.replaced"
    )]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        let rate = rate("EUR").await?;
        if runs.next() == 1 { Err(Failure::Refused) } else { Ok(id + rate) }
    }
    let runs = Runs::default();
    assert_eq!(call(1, &runs).await, Err(Failure::Refused));
    assert_eq!(call(1, &runs).await, Ok(8));
}
