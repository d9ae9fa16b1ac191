//! An existing function with `reqwest`, made resilient with four lines.
//!
//! `cargo run --example http_client --features reqwest` starts a local server and needs no
//! network.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response as Answer};
use axum::routing::any;
use reqwest::{Client, Method, Response};
use resilience::http::{classify, classify_response};
use resilience::retry;

// ── The function you already have, and the four lines ───────────────────────────────────────────

#[retry(
    base_delay = "20ms", on = classify, on_ok = classify_response,
    idempotent = method.is_idempotent(),
)]
async fn call(client: &Client, method: Method, url: &str) -> reqwest::Result<Response> {
    client.request(method.clone(), url).send().await
}

// ── The result ──────────────────────────────────────────────────────────────────────────────────

static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = start_server().await?;
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    println!("{:<14}{:<8}{:<25}{:>8}{:>8}", "path", "method", "result", "requests", "time");
    for (path, method, expected, requests) in [
        ("/flaky", Method::GET, 200, 3),
        ("/flaky", Method::POST, 503, 1), // may have been applied
        ("/busy", Method::GET, 200, 2),
        ("/busy", Method::POST, 200, 2), // 429: not applied
        ("/busy-all-day", Method::GET, 429, 1),
        ("/missing", Method::GET, 404, 1),
    ] {
        REQUESTS.store(0, Relaxed);
        let start = Instant::now();
        let response = call(&client, method.clone(), &format!("http://{server}{path}")).await?;
        let (status, seen) = (response.status(), REQUESTS.load(Relaxed));
        let took = start.elapsed().as_secs_f32();
        let (method, end) = (method.to_string(), status.to_string());
        println!("{path:<14}{method:<8}{end:<25}{seen:>8}{took:>7.1}s");
        assert_eq!((status.as_u16(), seen), (expected, requests), "the output does not match");
    }
    println!("\nA safe request is retried, `Retry-After` is respected, and a 404 is returned.");
    Ok(())
}

// ── The server ──────────────────────────────────────────────────────────────────────────────────

async fn start_server() -> std::io::Result<SocketAddr> {
    fn too_many_requests(seconds: &'static str) -> Answer {
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)]).into_response()
    }

    async fn flaky() -> StatusCode {
        match REQUESTS.fetch_add(1, Relaxed) {
            0 | 1 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        }
    }
    async fn busy() -> Answer {
        match REQUESTS.fetch_add(1, Relaxed) {
            0 => too_many_requests("1"),
            _ => "welcome back".into_response(),
        }
    }
    async fn busy_all_day() -> Answer {
        REQUESTS.fetch_add(1, Relaxed);
        too_many_requests("3600")
    }
    async fn missing() -> StatusCode {
        REQUESTS.fetch_add(1, Relaxed);
        StatusCode::NOT_FOUND
    }

    let app = Router::new()
        .route("/flaky", any(flaky))
        .route("/busy", any(busy))
        .route("/busy-all-day", any(busy_all_day))
        .fallback(missing);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
