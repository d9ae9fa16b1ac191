//! A service with a mode per resource, set by `/control`.

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

/// The reaction of the service to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Answers with 200.
    Recover,
    /// Answers every second request with 503.
    Flaky,
    /// Answers with 500.
    Fail,
    /// Answers with 200 after 300 ms.
    Slow,
    /// Answers with 200 after one minute.
    Hang,
    /// Answers with 429 and `Retry-After: 7`.
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

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// The resources of the service.
const RESOURCES: [&str; 4] = ["data", "profile", "orders", "news"];

#[derive(Default)]
pub(crate) struct Upstream {
    /// The index of the mode of each resource.
    modes: [AtomicUsize; RESOURCES.len()],
    requests: AtomicU32,
}

impl Upstream {
    pub(crate) fn set_all(&self, mode: Mode) {
        for resource in RESOURCES {
            self.set(resource, mode);
        }
    }

    /// Sets the mode of a resource. Returns `None` for an unknown resource.
    pub(crate) fn set(&self, resource: &str, mode: Mode) -> Option<()> {
        self.modes[position(resource)?].store(mode as usize, Relaxed);
        Some(())
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Relaxed)
    }

    fn mode(&self, resource: &str) -> Option<Mode> {
        Some(Mode::ALL[self.modes[position(resource)?].load(Relaxed)].1)
    }
}

fn position(resource: &str) -> Option<usize> {
    RESOURCES.iter().position(|known| *known == resource)
}

/// Starts the service on a free loopback port.
pub(crate) async fn start() -> std::io::Result<(Arc<Upstream>, SocketAddr)> {
    let upstream = Arc::new(Upstream::default());
    let app = Router::new().route("/{resource}", get(serve)).with_state(Arc::clone(&upstream));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((upstream, address))
}

async fn serve(State(upstream): State<Arc<Upstream>>, Path(resource): Path<String>) -> Response {
    let request = upstream.requests.fetch_add(1, Relaxed);
    match upstream.mode(&resource) {
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
    Json(content(&resource)).into_response()
}

fn content(resource: &str) -> Value {
    match resource {
        "profile" => json!({ "name": "Ada" }),
        "orders" => json!([7, 11]),
        "news" => json!(["It works."]),
        _ => json!({ "items": ["tea", "cake"], "source": "upstream" }),
    }
}
