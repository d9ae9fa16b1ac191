//! An HTTP API that keeps answering while what it stands on does not.
//!
//! `cargo run --example resilient_api` starts it on a free port (`--port 3000` or `PORT` choose one),
//! together with an upstream of its own that fails, hangs or asks for patience when it is told to. It
//! serves until it is stopped. The README shows what to try.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod calls;
mod error;
mod upstream;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
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

/// What an answer is: JSON, or an error that is JSON too.
type Answer = Result<Json<Value>, ApiError>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port()?)).await?;
    let (upstream, address) = upstream::start().await?;
    let sources = Arc::new(Sources::new(address)?);

    let app = Router::new()
        .route("/api/data", get(data))
        .route("/api/data-or-default", get(data_or_default))
        .route("/api/overview", get(overview))
        .layer(from_fn(protect))
        .route("/control/probe", post(probe))
        .with_state(sources)
        .merge(control(upstream))
        .fallback(async || ApiError::Unknown);
    println!("resilient_api: http://{} (its upstream: http://{address})", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

// ── The server protects itself ──────────────────────────────────────────────────────────────────

/// Around every request to the API: so many for each caller, and so many at once.
#[rate_limit(rate = 1, burst = 20, key = caller(&request))]
#[bulkhead(max = 4)]
async fn protect(request: Request, next: Next) -> Result<Response, ApiError> {
    Ok(next.run(request).await)
}

fn caller(request: &Request) -> String {
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
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

/// Lets the next call through an open circuit, as the end of its time would.
async fn probe(State(sources): State<Arc<Sources>>) -> Json<Value> {
    sources.probe();
    Json(json!({ "circuit": sources.data.state() }))
}

// ── What the upstream does ──────────────────────────────────────────────────────────────────────

fn control(upstream: Arc<Upstream>) -> Router {
    Router::new()
        .route("/control", get(requests))
        .route("/control/{mode}", post(set_all))
        .route("/control/{mode}/{part}", post(set_one))
        .with_state(upstream)
}

/// How many requests the upstream has received.
async fn requests(State(upstream): State<Arc<Upstream>>) -> Json<Value> {
    Json(json!({ "requests": upstream.requests() }))
}

async fn set_all(State(upstream): State<Arc<Upstream>>, Path(mode): Path<String>) -> Answer {
    let mode = Mode::named(&mode).ok_or(ApiError::Unknown)?;
    upstream.set_all(mode);
    Ok(Json(json!({ "upstream": mode.name() })))
}

async fn set_one(
    State(upstream): State<Arc<Upstream>>,
    Path((mode, part)): Path<(String, String)>,
) -> Answer {
    let mode = Mode::named(&mode).ok_or(ApiError::Unknown)?;
    upstream.set(&part, mode).ok_or(ApiError::Unknown)?;
    Ok(Json(json!({ part: mode.name() })))
}

/// The port from `--port N` or `PORT`; 0, the default, is a free one.
fn port() -> Result<u16, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let given = match arguments.next().as_deref() {
        Some("--port") => Some(arguments.next().ok_or("--port needs a number")?),
        Some(other) => return Err(format!("unknown argument {other:?}; there is --port N").into()),
        None => std::env::var("PORT").ok(),
    };
    Ok(given.as_deref().unwrap_or("0").parse()?)
}
