//! Local rejections: an immediate end, or a wait.

use std::time::Duration;

use resilience::{
    Classify, Effect, FailureClass, FailureKind, Rejected, RejectedKind, StopReason, retry, testing,
};

use crate::{Script, ms};

/// An error with a variant for rejections.
#[derive(Debug)]
enum ApiError {
    Rejected(Rejected),
}

impl Classify for ApiError {
    fn classify(&self) -> FailureClass {
        let Self::Rejected(rejected) = self;
        rejected.classify()
    }
}

fn rejected(kind: RejectedKind, after: Option<u64>) -> ApiError {
    ApiError::Rejected(Rejected::new(kind, "gate", after.map(ms)))
}

#[test]
fn rejections_are_not_retried_by_default() {
    #[retry(on_give_up = |event| *reason = Some(event.reason))]
    fn call(
        kind: RejectedKind,
        calls: &mut u32,
        reason: &mut Option<StopReason>,
    ) -> Result<(), ApiError> {
        *calls += 1;
        Err(rejected(kind, Some(10)))
    }
    let _guard = testing::no_waits();
    for (kind, calls, reason) in [
        (RejectedKind::CircuitOpen, 1, StopReason::Rejected),
        (RejectedKind::BulkheadFull, 1, StopReason::Rejected),
        (RejectedKind::RateLimited, 1, StopReason::Rejected),
        // A timeout is a failure of the call, not a rejection.
        (RejectedKind::TimedOut, 3, StopReason::Attempts),
    ] {
        let (mut made, mut reported) = (0, None);
        assert!(call(kind, &mut made, &mut reported).is_err());
        assert_eq!((made, reported), (calls, Some(reason)), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn rejections_are_awaited_on_request() {
    #[retry(on_rejection = "wait", jitter = "none", deadline = "10s", idempotent = false)]
    async fn call(script: &Script, kind: RejectedKind, after: Option<u64>) -> Result<(), ApiError> {
        let _ = script.fail::<()>();
        Err(rejected(kind, after))
    }
    // For the reported time, until the deadline, and never if the call may have been applied. A
    // wait uses up no attempt.
    for (kind, after, waits) in [
        (RejectedKind::CircuitOpen, Some(700), vec![ms(700); 14]),
        (RejectedKind::RateLimited, Some(300), vec![ms(300); 33]),
        (RejectedKind::BulkheadFull, None, [1, 2, 4, 8, 16, 32].map(|n| ms(n * 100)).into()),
        (RejectedKind::CircuitOpen, Some(20_000), vec![]),
        (RejectedKind::TimedOut, None, vec![]),
    ] {
        let script = Script::new();
        assert!(call(&script, kind, after).await.is_err());
        assert_eq!(script.waits(), waits, "{kind}");
    }
}

#[test]
fn the_table() {
    let after = Some(Duration::from_secs(3));
    for (kind, expected, sent, shown) in [
        (
            RejectedKind::CircuitOpen,
            FailureKind::Transient,
            Effect::NotSent,
            "gate: circuit open; retry after 3s",
        ),
        (
            RejectedKind::BulkheadFull,
            FailureKind::Transient,
            Effect::NotSent,
            "gate: bulkhead full; retry after 3s",
        ),
        (
            RejectedKind::RateLimited,
            FailureKind::Throttled,
            Effect::NotSent,
            "gate: rate limit reached; retry after 3s",
        ),
        // A timeout reports no time until a retry.
        (RejectedKind::TimedOut, FailureKind::Transient, Effect::Unknown, "gate: timed out"),
    ] {
        let rejected = Rejected::new(kind, "gate", after);
        let after = after.filter(|_| kind != RejectedKind::TimedOut);
        let class = rejected.classify();
        assert_eq!((class.kind, class.effect), (expected, sent), "{kind}");
        assert_eq!(rejected.to_string(), shown);
        assert_eq!(
            (rejected.kind(), rejected.name(), rejected.retry_after()),
            (kind, "gate", after)
        );
    }
}
