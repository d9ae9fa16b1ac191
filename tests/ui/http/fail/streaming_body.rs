use std::convert::Infallible;
use std::future::ready;

use http::{Request, Response};
use resilience::RetryPolicy;
use resilience::http::RetryLayer;
use tower::{Layer, Service, service_fn};

/// Not `Clone`.
struct Stream;

fn send(_: impl Service<Request<Stream>>) {}

fn main() {
    let client = service_fn(|_: Request<Stream>| ready(Ok::<_, Infallible>(Response::new(()))));
    send(RetryLayer::new(RetryPolicy::new()).layer(client));
}
