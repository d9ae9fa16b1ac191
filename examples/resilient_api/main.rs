//! An HTTP API that keeps answering while what it stands on does not.
//!
//! `cargo run --example resilient_api` starts it on a free port (`--port 3000` or `PORT` choose one),
//! together with an upstream of its own that fails, hangs or asks for patience when it is told to. It
//! serves until it is stopped. With `--database payments.db` (or `DATABASE`) it remembers, after a restart
//! too, which payments it has made; otherwise for as long as it runs. The README shows what to try.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod calls;
mod error;
mod payments;
mod upstream;

use std::path::PathBuf;
use std::sync::Arc;

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

/// What an answer is: JSON, or an error that is JSON too.
type Answer = Result<Json<Value>, ApiError>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::read()?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let (upstream, address) = upstream::start().await?;
    let sources = Arc::new(Sources::new(address)?);

    let app = Router::new()
        .route("/api/data", get(data))
        .route("/api/data-or-default", get(data_or_default))
        .route("/api/overview", get(overview))
        .merge(payments::routes(options.database.as_deref()).await?)
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
#[rate_limit(rate = 1, burst = 20, key = caller(request.headers()))]
#[bulkhead(max = 4)]
async fn protect(request: Request, next: Next) -> Result<Response, ApiError> {
    Ok(next.run(request).await)
}

/// Who calls. An API with accounts has this from its authentication.
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

// ── The command line ────────────────────────────────────────────────────────────────────────────

struct Options {
    /// 0 is a free one.
    port: u16,
    /// Where the payments are remembered; none for as long as the process runs.
    database: Option<PathBuf>,
}

impl Options {
    /// `--port N` and `--database PATH`, or `PORT` and `DATABASE`.
    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let (mut port, mut database) = (std::env::var("PORT").ok(), std::env::var("DATABASE").ok());
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--port" => port = Some(arguments.next().ok_or("--port needs a number")?),
                "--database" => database = Some(arguments.next().ok_or("--database needs a path")?),
                other => {
                    let words = "there are --port N and --database PATH";
                    return Err(format!("unknown argument {other:?}; {words}").into());
                }
            }
        }
        let port = port.as_deref().unwrap_or("0").parse()?;
        Ok(Self { port, database: database.map(PathBuf::from) })
    }
}
