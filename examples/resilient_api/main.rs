//! A web API that keeps answering while the upstream service fails.
//!
//! `cargo run --example resilient_api` starts the API on a free port (`--port 3000` or `PORT` sets
//! the port), with an upstream that fails, hangs or sends `Retry-After` on demand. With
//! `--database payments.db` (or `DATABASE`) the records of payments survive a restart. `README.md`
//! shows requests to try.
#![allow(clippy::print_stdout, reason = "an example prints results")]

mod calls;
mod error;
mod payments;
mod upstream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use resilience::{bulkhead, rate_limit};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use calls::Sources;
use error::ApiError;
use upstream::{Mode, Upstream};

/// A response of a handler: JSON, also for an error.
type Answer = Result<Json<Value>, ApiError>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::read()?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let (upstream, address) = upstream::start().await?;
    let sources = Arc::new(Sources::new(address)?);
    let payments = payments::layer(options.database.as_deref()).await?;

    let app = Router::new()
        .route("/api/data", get(data))
        .route("/api/data-or-default", get(data_or_default))
        .route("/api/overview", get(overview))
        .merge(payments::routes(payments.clone()))
        .layer(from_fn(protect))
        .route("/control/probe", post(probe))
        .with_state(sources)
        .merge(control(upstream))
        .fallback(async || ApiError::UnknownPath);
    println!("resilient_api: http://{} (its upstream: http://{address})", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(shutdown()).await?;
    // All connections are closed. A payment continues after its client has disconnected.
    match payments.drain(Duration::from_secs(30)).await {
        0 => Ok(()),
        running => Err(format!("stopped with {running} running payments").into()),
    }
}

/// Waits for SIGTERM or Ctrl-C.
async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    _ = interrupt.await;
}

// ── Protection of the server ────────────────────────────────────────────────────────────────────

/// Limits the rate of requests per caller, and the number of concurrent requests.
#[rate_limit(rate = 1, burst = 20, key = caller(request.headers()))]
#[bulkhead(max = 4)]
async fn protect(request: Request, next: Next) -> Result<Response, ApiError> {
    Ok(next.run(request).await)
}

/// Returns the caller of a request. A real API uses the authenticated account.
fn caller(headers: &HeaderMap) -> String {
    let key = headers.get("x-api-key").and_then(|key| key.to_str().ok());
    key.unwrap_or("anonymous").to_owned()
}

// ── Handlers ────────────────────────────────────────────────────────────────────────────────────

async fn data(State(sources): State<Arc<Sources>>) -> Answer {
    sources.data.fetch().await.map(Json)
}

async fn data_or_default(State(sources): State<Arc<Sources>>) -> Answer {
    sources.data.fetch_or_default().await.map(Json)
}

async fn overview(State(sources): State<Arc<Sources>>) -> Answer {
    sources.overview().await.map(Json)
}

/// Allows a trial call in an open circuit before `reset_timeout` has passed.
async fn probe(State(sources): State<Arc<Sources>>) -> Json<Value> {
    sources.probe();
    Json(json!({ "circuit": sources.data.state() }))
}

// ── Control of the upstream ─────────────────────────────────────────────────────────────────────

fn control(upstream: Arc<Upstream>) -> Router {
    Router::new()
        .route("/control", get(requests))
        .route("/control/{mode}", post(set_all))
        .route("/control/{mode}/{resource}", post(set_one))
        .with_state(upstream)
}

/// Returns the number of requests to the upstream.
async fn requests(State(upstream): State<Arc<Upstream>>) -> Json<Value> {
    Json(json!({ "requests": upstream.requests() }))
}

async fn set_all(State(upstream): State<Arc<Upstream>>, Path(mode): Path<String>) -> Answer {
    let mode = Mode::from_name(&mode).ok_or(ApiError::UnknownPath)?;
    upstream.set_all(mode);
    Ok(Json(json!({ "upstream": mode.name() })))
}

async fn set_one(
    State(upstream): State<Arc<Upstream>>,
    Path((mode, resource)): Path<(String, String)>,
) -> Answer {
    let mode = Mode::from_name(&mode).ok_or(ApiError::UnknownPath)?;
    upstream.set(&resource, mode).ok_or(ApiError::UnknownPath)?;
    Ok(Json(json!({ resource: mode.name() })))
}

// ── The command line ────────────────────────────────────────────────────────────────────────────

struct Options {
    /// The port; 0 selects a free port.
    port: u16,
    /// The database of the payments; `None` is a store in memory.
    database: Option<PathBuf>,
}

impl Options {
    /// Reads `--port N` and `--database PATH`, or `PORT` and `DATABASE`.
    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let (mut port, mut database) = (std::env::var("PORT").ok(), std::env::var("DATABASE").ok());
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--port" => port = Some(arguments.next().ok_or("--port needs a number")?),
                "--database" => database = Some(arguments.next().ok_or("--database needs a path")?),
                other => {
                    let expected = "expected `--port N` or `--database PATH`";
                    return Err(format!("unknown argument `{other}`; {expected}").into());
                }
            }
        }
        let port = port.as_deref().unwrap_or("0").parse()?;
        Ok(Self { port, database: database.map(PathBuf::from) })
    }
}
