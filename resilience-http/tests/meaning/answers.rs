//! A rejected call, as a response of `axum`.

use std::time::Duration;

use axum::response::IntoResponse;
use http::header;
use resilience::{Rejected, RejectedKind};

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
async fn every_kind_has_its_status_and_says_when_to_come_back() {
    use RejectedKind::{BulkheadFull, CircuitOpen, RateLimited};
    for (kind, millis, status, after, body) in [
        (CircuitOpen, Some(2001), 503, "3", r#"{"error":"circuit open","retry_after":3}"#),
        (CircuitOpen, Some(2000), 503, "2", r#"{"error":"circuit open","retry_after":2}"#),
        (CircuitOpen, Some(0), 503, "1", r#"{"error":"circuit open","retry_after":1}"#),
        (BulkheadFull, None, 503, "1", r#"{"error":"bulkhead full","retry_after":1}"#),
        (RateLimited, Some(10), 429, "1", r#"{"error":"rate limit reached","retry_after":1}"#),
    ] {
        let rejected = Rejected::new(kind, "module::function", millis.map(Duration::from_millis));
        assert_eq!(shown(rejected).await, (status, Some(after.to_owned()), body.to_owned()));
    }
    let timed_out = Rejected::timed_out("module::function", Duration::from_secs(2));
    assert_eq!(shown(timed_out).await, (504, None, r#"{"error":"timed out"}"#.to_owned()));
    let longest = Rejected::new(CircuitOpen, "module::function", Some(Duration::MAX));
    assert_eq!(shown(longest).await.1, Some(u64::MAX.to_string()));
}
