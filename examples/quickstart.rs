//! Two existing functions with `#[retry]`, a client of `reqwest`, and a server that fails.
//!
//! `cargo run -p quickstart` starts the server and makes the calls.
#![allow(clippy::print_stdout, reason = "an example prints results")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use resilience::http::{classify, classify_response};
use resilience::{FailureClass, GiveUpEvent, RetryEvent, retry};

// ── Existing functions with an attribute ────────────────────────────────────────────────────────

/// Sends a request. `classify` selects the errors to retry, and `classify_response` selects the
/// responses to retry.
#[retry(
    attempts = 4, base_delay = "50ms", on = classify, on_ok = classify_response,
    on_retry = print_retry, on_give_up = print_give_up,
)]
async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
    client.get(url).send().await
}

/// Sends a request without async: each wait blocks the thread.
#[retry(
    attempts = 4, base_delay = "50ms", on = classify, on_ok = classify_response,
    on_retry = print_retry, on_give_up = print_give_up,
)]
fn fetch_blocking(
    client: &reqwest::blocking::Client,
    url: &str,
) -> reqwest::Result<reqwest::blocking::Response> {
    client.get(url).send()
}

// ── Output for each attempt ─────────────────────────────────────────────────────────────────────

fn print_retry(event: &RetryEvent<'_, reqwest::Error>) {
    let failure = describe(event.error, event.class);
    let (attempt, delay, source) = (event.attempt, event.delay, event.delay_source);
    println!("  attempt {attempt}: {failure} retry in {delay:.0?} ({source})");
}

fn print_give_up(event: &GiveUpEvent<'_, reqwest::Error>) {
    let failure = describe(event.error, event.class);
    println!("  attempt {}: {failure} giving up: {}", event.attempt, event.reason);
}

fn describe(error: Option<&reqwest::Error>, class: FailureClass) -> String {
    let source = if error.is_some() { "error," } else { "response," };
    let (kind, effect) = (format!("{:?},", class.kind), format!("{:?},", class.effect));
    format!("{source:<9} {kind:<10} effect: {effect:<8}")
}

/// Prints the outcome of a call, and compares the outcome with `expected`.
fn print_outcome(result: reqwest::Result<StatusCode>, start: Instant, expected: &str) {
    let outcome = match result {
        Ok(status) => status.to_string(),
        Err(error) if error.is_connect() => "connection refused".to_owned(),
        Err(error) => error.to_string(),
    };
    println!("  => {outcome} after {:.1?}\n", start.elapsed());
    assert_eq!(outcome, expected);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(start_server())?;
    // The listener is dropped at once: the port refuses connections.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;

    let client = reqwest::Client::builder().no_proxy().build()?;
    let show = |title: &str, url: String, expected: &str| {
        println!("{title}");
        let start = Instant::now();
        let result = runtime.block_on(fetch(&client, &url));
        print_outcome(result.map(|response| response.status()), start, expected);
    };
    show("A server fails twice, then answers:", format!("http://{server}/flaky"), "200 OK");
    show("A server responds with 429, Retry-After: 1:", format!("http://{server}/busy"), "200 OK");
    show(
        "A page does not exist, so the response is returned at once:",
        format!("http://{server}/missing"),
        "404 Not Found",
    );
    show("A server is down:", format!("http://{closed}/"), "connection refused");

    println!("A sync function with a blocking client:");
    let blocking = reqwest::blocking::Client::builder().no_proxy().build()?;
    let start = Instant::now();
    let result = fetch_blocking(&blocking, &format!("http://{server}/flaky"));
    print_outcome(result.map(|response| response.status()), start, "200 OK");

    println!(
        "Shown: two failures retried, a Retry-After respected, a 404 returned at once, and a dead \
         server given up after 4 attempts; async and sync."
    );
    Ok(())
}

// ── The server ──────────────────────────────────────────────────────────────────────────────────

async fn start_server() -> std::io::Result<SocketAddr> {
    static FLAKY: AtomicU32 = AtomicU32::new(0);
    static BUSY: AtomicU32 = AtomicU32::new(0);

    /// Fails twice, then answers, in a cycle.
    async fn flaky() -> Result<&'static str, StatusCode> {
        match FLAKY.fetch_add(1, Relaxed) % 3 {
            2 => Ok("hello"),
            _ => Err(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// Rejects a request, then answers a request, in a cycle.
    async fn busy() -> axum::response::Response {
        match BUSY.fetch_add(1, Relaxed) % 2 {
            1 => "welcome back".into_response(),
            _ => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response(),
        }
    }

    let app = Router::new().route("/flaky", get(flaky)).route("/busy", get(busy));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
