//! The server: one command for each call, over HTTP and gRPC on one port.

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::post;
use resilience::http::ServerContextLayer;
use resilience::{Rejected, context, timeout};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tonic::{Response, Status, server};

use crate::calls::{Failure, Protocol, call, retried_3, retried_4};
use crate::grpc::PATH;
use crate::text::{Method, Text};
use crate::{SECOND, seconds_left};

static LEAF_CALLS: AtomicU32 = AtomicU32::new(0);
static STARTS: AtomicU32 = AtomicU32::new(0);

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    println!("{address}");
    // The longest time that this server gives to a request.
    let context = ServerContextLayer::new(Duration::from_secs(60));
    let http = post(move |command: String| async move {
        let answer = answer(&Protocol::Http(address), &command).await;
        answer.map_err(|failure| (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()))
    });
    let grpc = post(move |request: Request| async move {
        let method = Method(move |request: tonic::Request<String>| async move {
            let answer = answer(&Protocol::Grpc(address), request.get_ref()).await;
            answer.map(Response::new).map_err(|failure| Status::internal(failure.to_string()))
        });
        server::Grpc::new(Text).unary(method, request).await.map(Body::new)
    });
    let app = Router::new().route("/call", http).route(PATH, grpc).layer(context);
    Ok(axum::serve(listener, app).await?)
}

async fn answer(protocol: &Protocol, command: &str) -> Result<String, Failure> {
    let (name, layers) = command.split_once(' ').unwrap_or((command, "0"));
    let layers = layers.parse().map_err(|_| Failure("a number expected".into()))?;
    match name {
        "second" => {
            let seen = seconds_left();
            sleep(4 * SECOND).await;
            Ok(format!("{seen} and {}", call(protocol, "third").await?))
        }
        "third" => Ok(seconds_left()),
        "hang" => {
            let first = hang().await.err().map(|rejected| rejected.to_string());
            // After the deadline nothing starts.
            hang().await.err();
            Err(Failure(first.unwrap_or_default()))
        }
        "starts" => Ok((STARTS.swap(0, Relaxed).saturating_sub(1)).to_string()),
        "retried_3" => retried_3(protocol, layers).await,
        "retried_4" => retried_4(protocol, layers).await,
        "leaf" => {
            LEAF_CALLS.fetch_add(1, Relaxed);
            Err(Failure("the leaf fails".into()))
        }
        "leaf_calls" => Ok(LEAF_CALLS.load(Relaxed).to_string()),
        "reset" => Ok(LEAF_CALLS.swap(0, Relaxed).to_string()),
        "priority" => Ok(context::priority().map_or("none".into(), |word| word.to_string())),
        other => Err(Failure(format!("unknown command `{other}`"))),
    }
}

/// Never ends. The deadline of the client ends the call.
#[timeout("1m", name = "hang")]
async fn hang() -> Result<(), Rejected> {
    STARTS.fetch_add(1, Relaxed);
    std::future::pending().await
}
