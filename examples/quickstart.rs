//! What `#[retry]` does, against a real HTTP server that misbehaves.
//!
//! `cargo run --example quickstart` needs nothing else: it starts the server itself.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use resilience::{Classify, Effect, FailureClass, GiveUpEvent, RetryEvent, retry};

// ── The functions you already have ──────────────────────────────────────────────────────────────

/// Fetches a page. The attribute is all that retrying it takes.
#[retry(attempts = 4, base_delay = "50ms", jitter, on_retry = tell, on_give_up = tell_end)]
async fn fetch(client: &reqwest::Client, url: &str) -> Result<String, HttpError> {
    let response = client.get(url).send().await?;
    if !response.status().is_success() {
        return Err(HttpError::status(response.status(), response.headers()));
    }
    Ok(response.text().await?)
}

/// The same without async: waits block the thread.
#[retry(attempts = 4, base_delay = "50ms", jitter, on_retry = tell, on_give_up = tell_end)]
fn fetch_blocking(client: &reqwest::blocking::Client, url: &str) -> Result<String, HttpError> {
    let response = client.get(url).send()?;
    if !response.status().is_success() {
        return Err(HttpError::status(response.status(), response.headers()));
    }
    Ok(response.text()?)
}

// ── Their error, which knows what it means ──────────────────────────────────────────────────────

#[derive(Debug)]
enum HttpError {
    Status { code: StatusCode, retry_after: Option<Duration> },
    Transport(reqwest::Error),
}

impl Classify for HttpError {
    fn classify(&self) -> FailureClass {
        match self {
            Self::Status { code: StatusCode::TOO_MANY_REQUESTS, retry_after } => {
                FailureClass::throttled(*retry_after).effect(Effect::Refused)
            }
            Self::Status { code, .. } => FailureClass::from(code.is_server_error()),
            Self::Transport(error) if error.is_connect() => {
                FailureClass::transient().effect(Effect::NotSent)
            }
            Self::Transport(error) => FailureClass::from(error.is_timeout() || error.is_request()),
        }
    }
}

impl HttpError {
    fn status(code: StatusCode, headers: &header::HeaderMap) -> Self {
        let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Self::Status { code, retry_after }
    }
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code, .. } => write!(f, "{code}"),
            Self::Transport(error) if error.is_connect() => f.write_str("connection refused"),
            Self::Transport(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Status { .. } => None,
            Self::Transport(error) => Some(error),
        }
    }
}

// ── What is told of each attempt ────────────────────────────────────────────────────────────────

fn describe(error: Option<&HttpError>, class: FailureClass) -> String {
    let error = error.map_or_else(String::new, ToString::to_string);
    format!(
        "{error:<25} {:<10} sent: {:<8}",
        format!("{:?},", class.kind),
        format!("{:?},", class.effect)
    )
}

fn tell(event: &RetryEvent<'_, HttpError>) {
    println!(
        "  attempt {} of {}: {} waits {:.0?} ({})",
        event.attempt,
        event.attempts.unwrap_or(u32::MAX),
        describe(event.error, event.class),
        event.delay,
        event.delay_source,
    );
}

fn tell_end(event: &GiveUpEvent<'_, HttpError>) {
    println!(
        "  attempt {} of {}: {} gives up: {}",
        event.attempt,
        event.attempts.unwrap_or(u32::MAX),
        describe(event.error, event.class),
        event.reason,
    );
}

/// Prints what came of a call, and makes sure that it is what the story says.
fn outcome(result: &Result<String, HttpError>, start: Instant, expected: &str) {
    let words = match result {
        Ok(body) => format!("Ok({body:?})"),
        Err(error) => format!("Err({error})"),
    };
    println!("  => {words} after {:.1?}\n", start.elapsed());
    assert_eq!(words, expected, "the quickstart tells another story than its output");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(start_server())?;
    // Somebody else's port, on which nobody listens any more.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;

    let client = reqwest::Client::builder().no_proxy().build()?;
    let show = |title: &str, url: String, expected: &str| {
        println!("{title}");
        let start = Instant::now();
        outcome(&runtime.block_on(fetch(&client, &url)), start, expected);
    };
    show(
        "A server that fails twice, then answers:",
        format!("http://{server}/flaky"),
        r#"Ok("hello")"#,
    );
    show(
        "A server that asks for a second's patience (429, Retry-After: 1):",
        format!("http://{server}/busy"),
        r#"Ok("welcome back")"#,
    );
    show(
        "A page that does not exist, which no repetition will change:",
        format!("http://{server}/missing"),
        "Err(404 Not Found)",
    );
    show(
        "A server that stays down, until the attempts are used up:",
        format!("http://{nobody}/"),
        "Err(connection refused)",
    );

    println!("The same from a function that is not async, with a client that blocks:");
    let blocking = reqwest::blocking::Client::builder().no_proxy().build()?;
    let start = Instant::now();
    outcome(&fetch_blocking(&blocking, &format!("http://{server}/flaky")), start, r#"Ok("hello")"#);

    println!(
        "Shown: two failures retried, a Retry-After honoured, a 404 returned at once, and a dead \
         server given up after 4 attempts; async and sync."
    );
    Ok(())
}

// ── The server ──────────────────────────────────────────────────────────────────────────────────

async fn start_server() -> std::io::Result<SocketAddr> {
    static FLAKY: AtomicU32 = AtomicU32::new(0);
    static BUSY: AtomicU32 = AtomicU32::new(0);

    /// Two failures, then an answer, over and over.
    async fn flaky() -> Result<&'static str, StatusCode> {
        match FLAKY.fetch_add(1, Relaxed) % 3 {
            2 => Ok("hello"),
            _ => Err(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// One refusal, then an answer.
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
