//! The parts of the fingerprint of a request.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::{ask, counting, layer};

fn request(method: &Method, uri: &str, kind: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri).header("idempotency-key", "k");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

#[tokio::test]
async fn method_path_query_content_type_and_body_count() {
    let json = Some("application/json");
    let (api, runs) = counting(layer());
    let first = || request(&Method::POST, "/pay?a=1&b=2", json, "{\"amount\":1}");
    assert_eq!(ask(&api, first()).await.status, 200);
    for other in [
        request(&Method::PATCH, "/pay?a=1&b=2", json, "{\"amount\":1}"),
        request(&Method::POST, "/refund?a=1&b=2", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay?b=2&a=1", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay?", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay?a=1&b=2", Some("text/plain"), "{\"amount\":1}"),
        request(&Method::POST, "/pay?a=1&b=2", None, "{\"amount\":1}"),
        request(&Method::POST, "/pay?a=1&b=2", json, "{\"amount\": 1}"),
        request(&Method::POST, "/pay?a=1&b=2", json, ""),
    ] {
        let shown = format!("{other:?}");
        assert_eq!(ask(&api, other).await.status, 422, "{shown}");
    }
    // Additional headers do not count.
    let mut again = first();
    again.headers_mut().insert("x-attempt", "2".parse().expect("a value"));
    assert!(ask(&api, again).await.is_replay());
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn fields_are_delimited() {
    let (api, _) = counting(layer());
    assert_eq!(ask(&api, request(&Method::POST, "/pay?a", None, "b")).await.status, 200);
    assert_eq!(ask(&api, request(&Method::POST, "/pay", None, "ab")).await.status, 422);
    assert_eq!(ask(&api, request(&Method::POST, "/pay?ab", None, "")).await.status, 422);
}

#[tokio::test]
async fn canonical_json_is_compared_by_value() {
    let json = Some("application/vnd.api+json; charset=utf-8");
    let (api, runs) = counting(layer().canonical_json(true));
    let ask = async |kind, body| ask(&api, request(&Method::POST, "/pay", kind, body)).await.status;
    assert_eq!(ask(json, "{\"to\":\"Ada\",\"amount\":[1,2]}").await, 200);
    assert_eq!(ask(json, " { \"amount\" : [1, 2], \"to\" : \"Ada\" }\n").await, 200);
    assert_eq!(runs.count(), 1);
    for other in [
        "{\"to\":\"Ada\",\"amount\":[2,1]}",
        "{\"to\":\"Ada\",\"amount\":\"[1,2]\"}",
        "{\"to\":\"Ada\"}",
        "{\"to\":\"Ada\",\"amount\":[1,2]",
    ] {
        assert_eq!(ask(json, other).await, 422, "{other}");
    }
    assert_eq!(ask(Some("text/plain"), "{\"to\":\"Ada\",\"amount\":[1,2]}").await, 422);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn invalid_json_is_compared_by_bytes() {
    let (api, runs) = counting(layer().canonical_json(true));
    let ask = async |body| {
        ask(&api, request(&Method::POST, "/pay", Some("application/json"), body)).await.status
    };
    assert_eq!([ask("{a: 1}").await, ask("{a:1}").await, ask("{a: 1}").await], [200, 422, 200]);
    assert_eq!(runs.count(), 1);
}
