//! Bodies that the client cannot read: damaged on the way, or of another form.

use std::pin::Pin;
use std::task::{Context, Poll};

use ::reqwest::{Client, Method};
use bytes::Bytes;
use http_body::Frame;
use resilience::http::classify;
use resilience::{Effect, FailureClass, retry, testing};
use serde_json::Value;

use crate::server::Act::{self, Raw};
use crate::server::Server;
use crate::{MALFORMED_CHUNK, OK};

const NO_GZIP: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 12\r\n\r\nnot in gzip.";
const HALF_A_GZIP: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03";
const HALF_A_BODY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"a\":";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>";
const OTHER_FIELDS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"b\": 1}";

#[derive(Debug, serde::Deserialize)]
struct Receipt {
    #[expect(dead_code, reason = "the tests read no receipt")]
    amount: Value,
}

#[retry(on = classify, idempotent = method.is_idempotent())]
async fn fetch(client: &Client, method: Method, url: &str) -> reqwest::Result<()> {
    client.request(method.clone(), url).send().await?.json::<Receipt>().await.map(drop)
}

async fn ask(act: Act, method: Method) -> (usize, reqwest::Error) {
    let server = Server::new(&[act]);
    // The server closes each connection.
    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let client = builder.build().expect("a client");
    let error = fetch(&client, method, &server.url()).await.expect_err("no receipt");
    (server.requests(), error)
}

#[tokio::test]
async fn a_damaged_body_is_retried_for_idempotent_methods() {
    let _guard = testing::no_waits();
    for body in [MALFORMED_CHUNK, NO_GZIP, HALF_A_GZIP, HALF_A_BODY] {
        let shown = String::from_utf8_lossy(body);
        let (received, error) = ask(Raw(body), Method::GET).await;
        assert_eq!(classify(&error), FailureClass::transient().effect(Effect::Applied), "{shown}");
        assert_eq!(received, 3, "{shown}");
        assert_eq!(ask(Raw(body), Method::POST).await.0, 1, "{shown}");
    }
}

#[tokio::test]
async fn json_of_another_form_is_permanent() {
    let _guard = testing::no_waits();
    for body in [Raw(PAGE), Raw(OTHER_FIELDS), OK] {
        let (received, error) = ask(body, Method::GET).await;
        let applied = FailureClass::permanent().effect(Effect::Applied);
        assert_eq!((received, classify(&error)), (1, applied), "{body:?}");
    }
}

/// The body of a request, which ends with an error of the application.
struct BrokenUpload(bool);

impl http_body::Body for BrokenUpload {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())));
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"amount")))))
    }
}

/// A response that breaks off was applied. A request that breaks off may be.
#[tokio::test]
async fn a_broken_request_body_says_nothing_about_the_effect() {
    let server = Server::new(&[OK]);
    let client = Client::builder().no_proxy().build().expect("a client");
    let upload = client.put(server.url()).body(::reqwest::Body::wrap(BrokenUpload(false)));
    let error = upload.send().await.expect_err("the body breaks off");
    assert_eq!(classify(&error), FailureClass::transient(), "{error:?}");
}
