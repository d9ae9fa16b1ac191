//! Proxies that refuse the connection to the server.

use ::hyper_util::client::legacy::connect::{HttpConnector, proxy::Tunnel};
use ::hyper_util::client::legacy::{Client, Error};
use ::hyper_util::rt::TokioExecutor;
use axum::body::Body;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use resilience::http::classify;
use resilience::{Effect, FailureClass, retry, testing};

use crate::server::{Act::*, Server};

/// Sends a POST through a tunnel of the proxy.
#[retry(on = classify, idempotent = false)]
async fn post(proxy: &str) -> Result<Response<Incoming>, Error> {
    let proxy: Uri = proxy.parse().expect("an address");
    let tunnel = Tunnel::new(proxy, HttpConnector::new());
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(tunnel);
    client
        .request(Request::post("http://api.example/").body(Body::empty()).expect("a request"))
        .await
}

#[tokio::test]
async fn a_refused_tunnel_is_permanent() {
    let _guard = testing::no_waits();
    for status in [407, 403] {
        let proxy = Server::new(&[Respond(status, "")]);
        let error = post(&proxy.url()).await.expect_err("no tunnel");
        assert_eq!(classify(&error), FailureClass::permanent().effect(Effect::NotSent));
        assert_eq!(proxy.requests_with("CONNECT"), 1, "{status}");
    }
}

#[tokio::test]
async fn an_unreachable_proxy_is_transient() {
    let _guard = testing::no_waits();
    let not_sent = FailureClass::transient().effect(Effect::NotSent);
    let error = post(&Server::unused_url()).await.expect_err("no proxy");
    assert_eq!(classify(&error), not_sent);
    let proxy = Server::new(&[Close]);
    let error = post(&proxy.url()).await.expect_err("no tunnel");
    assert_eq!((classify(&error), proxy.requests_with("CONNECT")), (not_sent, 3));
}
