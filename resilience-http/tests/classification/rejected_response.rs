//! A rejected call as a response of `axum`.

use std::time::Duration;

use axum::response::IntoResponse;
use http::header;
use resilience::{IdempotencyRejection, Rejected, RejectedKind, testing};

async fn shown(rejected: Rejected) -> (u16, Option<String>, String) {
    let response = rejected.into_response();
    let status = response.status().as_u16();
    let after = response.headers().get(header::RETRY_AFTER);
    let after = after.map(|after| after.to_str().expect("digits").to_owned());
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let body = axum::body::to_bytes(response.into_body(), 1000).await.expect("a body");
    (status, after, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn every_kind_has_a_status_and_a_delay() {
    use RejectedKind::{BulkheadFull, CircuitOpen, RateLimited};
    for (kind, millis, status, after, body) in [
        (CircuitOpen, Some(2001), 503, Some("3"), r#"{"error":"circuit open","retry_after":3}"#),
        (CircuitOpen, Some(2000), 503, Some("2"), r#"{"error":"circuit open","retry_after":2}"#),
        (CircuitOpen, Some(0), 503, Some("1"), r#"{"error":"circuit open","retry_after":1}"#),
        (CircuitOpen, None, 503, None, r#"{"error":"circuit open"}"#), // forced open
        (BulkheadFull, None, 503, None, r#"{"error":"bulkhead full"}"#),
        (
            RateLimited,
            Some(10),
            429,
            Some("1"),
            r#"{"error":"rate limit reached","retry_after":1}"#,
        ),
    ] {
        let rejected = Rejected::new(kind, "module::function", millis.map(Duration::from_millis));
        assert_eq!(shown(rejected).await, (status, after.map(str::to_owned), body.to_owned()));
    }
    let timed_out = Rejected::timed_out("module::function", Duration::from_secs(2));
    assert_eq!(shown(timed_out).await, (504, None, r#"{"error":"timed out"}"#.to_owned()));
    let longest = Rejected::new(CircuitOpen, "module::function", Some(Duration::MAX));
    assert_eq!(shown(longest).await.1, Some(u64::MAX.to_string()));
}

#[tokio::test]
async fn every_idempotency_rejection_has_a_status() {
    use IdempotencyRejection::*;
    for (reason, status, has_delay) in [
        (MissingKey, 400, false),
        (InvalidKey, 400, false),
        (KeyReused, 422, false),
        (InFlight, 409, true),
        (OutcomeUnknown, 409, false),
        (LeaseLost, 409, false),
        (Undecodable, 500, false),
        (NotStored, 409, false),
        (StoreUnavailable, 503, false),
    ] {
        let delay = (reason == InFlight).then_some(Duration::from_secs(9));
        let (seen, after, _) = shown(Rejected::new(reason.into(), "function", delay)).await;
        assert_eq!((seen, after.is_some()), (status, has_delay), "{reason}");
    }
}

#[tokio::test]
async fn long_delays_are_spread() {
    for (millis, draw, expected) in [
        (9_000, 1.0, 9), // a tenth is less than a second
        (10_000, 0.0, 10),
        (10_000, 0.49, 10),
        (9_001, 0.5, 11),
        (30_000, 0.5, 32),
        (30_000, 1.0, 33),
        (3_600_000, 1.0, 3_605), // at most 5 s
    ] {
        let _draws = testing::draws([draw]);
        let after = Some(Duration::from_millis(millis));
        let (_, header, body) = shown(Rejected::new(RejectedKind::CircuitOpen, "f", after)).await;
        assert_eq!(header, Some(expected.to_string()), "{millis} {draw}");
        assert_eq!(body, format!(r#"{{"error":"circuit open","retry_after":{expected}}}"#));
    }
    let _seed = testing::seed(7);
    let mut seen = [0; 4];
    for _ in 0..400 {
        let after = Some(Duration::from_secs(30));
        let (_, header, _) = shown(Rejected::new(RejectedKind::CircuitOpen, "f", after)).await;
        let seconds: usize = header.expect("a header").parse().expect("digits");
        seen[seconds - 30] += 1;
    }
    assert!(seen.iter().all(|count| (60..=140).contains(count)), "{seen:?}");
}
