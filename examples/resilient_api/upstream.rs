//! A service that does as it is told, for better or worse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// What the service does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Answers.
    Recover,
    /// Fails at every second request that the service receives.
    Flaky,
    /// Answers 500.
    Fail,
    /// Answers after 300 ms.
    Slow,
    /// Does not answer for a minute.
    Hang,
    /// Answers 429, and asks for seven seconds.
    Busy,
}

impl Mode {
    const ALL: [(&str, Self); 6] = [
        ("recover", Self::Recover),
        ("flaky", Self::Flaky),
        ("fail", Self::Fail),
        ("slow", Self::Slow),
        ("hang", Self::Hang),
        ("busy", Self::Busy),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// The resources of the service.
const PARTS: [&str; 4] = ["data", "profile", "orders", "news"];

#[derive(Default)]
pub(crate) struct Upstream {
    /// For each part, the index of its mode.
    modes: [AtomicUsize; PARTS.len()],
    requests: AtomicU32,
}

impl Upstream {
    pub(crate) fn set_all(&self, mode: Mode) {
        for part in PARTS {
            self.set(part, mode);
        }
    }

    /// Nothing, if there is no such part.
    pub(crate) fn set(&self, part: &str, mode: Mode) -> Option<()> {
        self.modes[position(part)?].store(mode as usize, Relaxed);
        Some(())
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Relaxed)
    }

    fn mode(&self, part: &str) -> Option<Mode> {
        Some(Mode::ALL[self.modes[position(part)?].load(Relaxed)].1)
    }
}

fn position(part: &str) -> Option<usize> {
    PARTS.iter().position(|known| *known == part)
}

/// Starts the service on a loopback port of its own.
pub(crate) async fn start() -> std::io::Result<(Arc<Upstream>, SocketAddr)> {
    let upstream = Arc::new(Upstream::default());
    let app = Router::new().route("/{part}", get(serve)).with_state(Arc::clone(&upstream));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((upstream, address))
}

async fn serve(State(upstream): State<Arc<Upstream>>, Path(part): Path<String>) -> Response {
    let request = upstream.requests.fetch_add(1, Relaxed);
    match upstream.mode(&part) {
        None => return StatusCode::NOT_FOUND.into_response(),
        Some(Mode::Fail) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Mode::Flaky) if request % 2 == 1 => {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Some(Mode::Busy) => {
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")]).into_response();
        }
        Some(Mode::Slow) => sleep(Duration::from_millis(300)).await,
        Some(Mode::Hang) => sleep(Duration::from_secs(60)).await,
        Some(Mode::Recover | Mode::Flaky) => {}
    }
    Json(content(&part)).into_response()
}

fn content(part: &str) -> Value {
    match part {
        "profile" => json!({ "name": "Ada" }),
        "orders" => json!([7, 11]),
        "news" => json!(["It works."]),
        _ => json!({ "items": ["tea", "cake"], "source": "upstream" }),
    }
}
