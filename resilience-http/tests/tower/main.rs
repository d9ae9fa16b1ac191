//! The layers around scripted services, without a network.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod axum;
mod bulkhead;
mod catch_panic;
mod circuit_breaker;
mod client_keys;
mod context;
mod fallback;
mod host_cooldown;
mod in_progress;
mod keyed;
mod layer_deadline;
mod log;
mod mocks;
mod open_circuit;
mod rate_limit;
mod readiness;
mod replay;
mod retry;
mod returned_permits;
mod scripted;
mod timeout;
mod two_sided;
mod unknown_errors;
mod waiting_calls;

#[path = "../support/effects.rs"]
mod effects_of_a_test;

use std::time::Duration;

use http::{Method, Request};
use resilience::{Jitter, RetryPolicy};

/// Three attempts with delays of one second.
const POLICY: RetryPolicy =
    RetryPolicy::new().fixed().base_delay(Duration::from_secs(1)).jitter(Jitter::None);

fn request(method: Method) -> Request<String> {
    let request = Request::builder().method(method).uri("http://api.example/things");
    request.body("{}".to_owned()).expect("a request")
}

fn get() -> Request<String> {
    request(Method::GET)
}

fn post() -> Request<String> {
    request(Method::POST)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
