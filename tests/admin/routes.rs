//! The routes by requests: answers, headers, and every reason to refuse a control.

use axum::Router;
use axum::http::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, Response};
use resilience::admin::Admin;
use resilience::{CircuitBreaker, Rejected, circuit_breaker, register};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, PoisonError};

use crate::{HOSTILE, LISTS, controlled, serve, serve_guarded, state_of};

pub(crate) fn get(address: SocketAddr, path: &str) -> Response {
    reqwest::blocking::get(format!("http://{address}/admin{path}")).expect("an answer")
}

pub(crate) fn data(address: SocketAddr, path: &str) -> Value {
    let response = get(address, path);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().expect("JSON")
}

/// A command as the page sends it, by an author.
pub(crate) fn command(address: SocketAddr, author: &str, command: &Value) -> RequestBuilder {
    Client::new()
        .post(format!("http://{address}/admin/control"))
        .header("x-resilience-admin", "control")
        .header("x-operator", author)
        .json(command)
}

fn control(address: SocketAddr, action: &str, name: &str) -> RequestBuilder {
    command(address, "known", &json!({ "action": action, "name": name }))
}

/// Sends the request, and returns the status and the reason of a refusal.
pub(crate) fn send(request: RequestBuilder) -> (u16, String) {
    let response = request.send().expect("an answer");
    let status = response.status().as_u16();
    let body: Value = response.json().expect("JSON");
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_routes_show_policies_health_events_and_metrics() {
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    controlled!(shown, "routes::shown");
    let address = serve_guarded();
    let by_hand = Arc::new(CircuitBreaker::new().name(HOSTILE));
    register(&by_hand);
    circuit_breaker("routes::shown").expect("called").force_open();
    by_hand.trip();

    let policies = data(address, "/policies");
    let policies = policies.as_array().expect("a list");
    let shown = policies.iter().find(|it| it["name"] == "routes::shown").expect("listed");
    assert_eq!(
        (&shown["kind"], &shown["state"]),
        (&json!("circuit_breaker"), &json!("forced-open"))
    );
    assert!(policies.iter().any(|policy| policy["name"] == HOSTILE));

    let health = data(address, "/health");
    assert_eq!(health["healthy"], false);
    let degraded = health["degraded"].as_array().expect("a list");
    assert!(degraded.iter().any(|it| it["name"] == "routes::shown"), "{health}");

    let events = data(address, "/events");
    let events: Vec<_> = events.as_array().expect("a list").iter().collect();
    let position = |name: &str| events.iter().position(|event| event["name"] == name);
    let (first, second) = (position("routes::shown"), position(HOSTILE));
    assert!(second.expect("an event") < first.expect("an event"), "newest first: {events:?}");
    let event = events[first.expect("an event")];
    assert_eq!((&event["from"], &event["to"]), (&json!("closed"), &json!("forced-open")));
    assert_eq!(event["reason"], "manual");
    assert!(event["at"]["secs_since_epoch"].as_u64() > Some(1_700_000_000), "{event}");

    let metrics = get(address, "/metrics");
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = metrics.text().expect("a text");
    assert!(text.contains("resilience_policy_name=\"routes::shown\""), "{text}");
}

#[test]
fn events_are_bounded() {
    let _lists = LISTS.write().unwrap_or_else(PoisonError::into_inner);
    controlled!(flapping, "routes::flapping");
    let address = serve_guarded();
    let breaker = circuit_breaker("routes::flapping").expect("called");
    for _ in 0..150 {
        breaker.force_open();
        breaker.force_close();
    }
    assert_eq!(data(address, "/events").as_array().map(Vec::len), Some(100));
}

#[test]
fn a_page_runs_only_its_own_script() {
    let address = serve_guarded();
    let response = get(address, "");
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["cache-control"], "no-store");
    let policy = headers["content-security-policy"].to_str().expect("a text");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for unsafe_source in ["unsafe-inline", "unsafe-eval", "*", "http:", "data:"] {
        assert!(!policy.contains(unsafe_source), "{policy}");
    }
    let (_, nonce) = policy.split_once("script-src 'nonce-").expect("a nonce");
    let nonce = nonce.split('\'').next().expect("a nonce");
    assert_eq!(nonce.len(), 32);
    let body = response.text().expect("a text");
    assert_eq!(body.matches("<script").count(), 1);
    assert_eq!(body.matches(&format!(" nonce=\"{nonce}\"")).count(), 2, "style and script");
    assert!(!body.contains("{{"), "a place of the page is not filled");
    for outside in ["src=", "http-equiv", "@import", "innerHTML", "insertAdjacentHTML", "eval("] {
        assert!(!body.contains(outside), "the page contains `{outside}`");
    }
    let again = get(address, "").headers()["content-security-policy"].clone();
    assert_ne!(again, headers["content-security-policy"], "each page has a nonce of its own");
    let data_policy = get(address, "/policies").headers()["content-security-policy"].clone();
    assert_eq!(data_policy, "default-src 'none'; frame-ancestors 'none'");
}

#[test]
fn a_request_that_cannot_be_read_is_refused_as_data() {
    let address = serve_guarded();
    let query = |query| Client::new().get(format!("http://{address}/admin/key?{query}"));
    // One byte above the limit: the server has read all when it refuses the body.
    let large = command(address, "known", &json!({})).body("x".repeat(2 * 1024 * 1024 + 1));
    for (request, status) in [
        (query("name=%3Cscript%3E"), StatusCode::BAD_REQUEST),
        (query("name=a&key=b&kind=%3Cscript%3E"), StatusCode::BAD_REQUEST),
        (large, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let response = request.send().expect("an answer");
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let body: Value = response.json().expect("JSON");
        assert_ne!(body["error"].as_str(), None, "{body}");
    }
}

#[test]
fn a_control_is_refused_before_its_body_is_read() {
    let address = serve_guarded();
    let mut stream = TcpStream::connect(address).expect("a connection");
    // The body never arrives.
    let request = format!(
        "POST /admin/control HTTP/1.1\r\nhost: {address}\r\nx-resilience-admin: control\r\n\
         content-type: application/json\r\ncontent-length: 9\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).expect("an answer");
    assert!(status.starts_with("HTTP/1.1 403 "), "{status}");
}

#[test]
fn a_control_without_a_hook_or_without_permission_is_refused() {
    controlled!(refused, "routes::refused");
    let reading = serve(Router::new().nest("/admin", Admin::new().router()));
    let (status, reason) = send(control(reading, "force_open", "routes::refused"));
    assert_eq!(
        (status, reason.as_str()),
        (403, "this page only reads; `Admin::authorize` allows controls")
    );
    let guarded = serve_guarded();
    let anonymous = Client::new()
        .post(format!("http://{guarded}/admin/control"))
        .header("x-resilience-admin", "control")
        .json(&json!({ "action": "force_open", "name": "routes::refused" }));
    let (status, reason) = send(anonymous);
    assert_eq!((status, reason.as_str()), (403, "the request is not authorized"));
    let without_name = Client::new()
        .post(format!("http://{guarded}/admin/control"))
        .header("x-resilience-admin", "control")
        .header("x-operator", "")
        .json(&json!({ "action": "force_open", "name": "routes::refused" }));
    assert_eq!(send(without_name), (403, "the request is not authorized".to_owned()));
    assert_eq!(state_of("routes::refused"), "closed");
    let page = |address| get(address, "").text().expect("a text");
    assert!(page(reading).contains("data-controls=\"false\""));
    assert!(page(guarded).contains("data-controls=\"true\""));
}

#[test]
fn a_control_from_another_site_is_refused() {
    controlled!(guarded, "routes::guarded");
    let address = serve_guarded();
    let request = || control(address, "force_open", "routes::guarded");
    let own = format!("http://{address}");
    let other_port = "http://127.0.0.1:1";
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", other_port),
        ("origin", "null"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        let (status, reason) = send(request().header(header, value));
        let expected = (403, "the request comes from another origin");
        assert_eq!((status, reason.as_str()), expected, "{header}: {value}");
    }
    // A page of the server itself cannot be imitated by one header.
    let (status, _) = send(
        request().header("origin", "https://evil.example").header("sec-fetch-site", "same-origin"),
    );
    assert_eq!(status, 403);
    let form = Client::new()
        .post(format!("http://{address}/admin/control"))
        .header("x-operator", "known")
        .header("content-type", "application/json")
        .body(r#"{"action":"force_open","name":"routes::guarded"}"#);
    assert_eq!(send(form), (403, "the header `x-resilience-admin` is missing".to_owned()));
    let text = Client::new()
        .post(format!("http://{address}/admin/control"))
        .header("x-operator", "known")
        .header("x-resilience-admin", "control")
        .header("content-type", "text/plain")
        .body(r#"{"action":"force_open","name":"routes::guarded"}"#);
    assert_eq!(send(text), (403, "the content type is not `application/json`".to_owned()));
    let two_types = Client::new()
        .post(format!("http://{address}/admin/control"))
        .header("x-operator", "known")
        .header("x-resilience-admin", "control")
        .header("content-type", "text/plain")
        .header("content-type", "application/json")
        .body(r#"{"action":"force_open","name":"routes::guarded"}"#);
    assert_eq!(send(two_types).0, 403);
    // A preflight request is not answered with a permission.
    let preflight = Client::new()
        .request(reqwest::Method::OPTIONS, format!("http://{address}/admin/control"))
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .send()
        .expect("an answer");
    assert!(!preflight.status().is_success());
    assert!(!preflight.headers().contains_key("access-control-allow-origin"));
    assert_eq!(state_of("routes::guarded"), "closed");
    let same = request().header("origin", own).header("sec-fetch-site", "same-origin");
    assert_eq!(send(same).0, 200);
    assert_eq!(state_of("routes::guarded"), "forced open");
}

#[test]
fn a_content_type_may_have_parameters() {
    controlled!(typed, "routes::typed");
    let address = serve_guarded();
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        let request = Client::new()
            .post(format!("http://{address}/admin/control"))
            .header("x-operator", "known")
            .header("x-resilience-admin", "control")
            .header("content-type", kind)
            .body(r#"{"action":"reset","name":"routes::typed"}"#);
        assert_eq!(send(request).0, 200, "{kind}");
    }
}
