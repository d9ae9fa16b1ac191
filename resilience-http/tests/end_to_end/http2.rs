//! HTTP/2 stream and connection errors, frame by frame.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use ::hyper_util::client::legacy;
use ::hyper_util::rt::TokioExecutor;
use ::reqwest::{Client, Method, Response, retry as of_client};
use axum::body::Body;
use resilience::http::classify;
use resilience::{Effect, FailureClass, retry, testing};

const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const HEADERS: u8 = 1;

const NO_ERROR: u8 = 0;
const PROTOCOL_ERROR: u8 = 1;
const INTERNAL_ERROR: u8 = 2;
const REFUSED_STREAM: u8 = 7;
const CANCEL: u8 = 8;
const ENHANCE_YOUR_CALM: u8 = 11;
const INADEQUATE_SECURITY: u8 = 12;
const HTTP_1_1_REQUIRED: u8 = 13;

/// The treatment of every request.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A `RST_STREAM` with this code.
    Reset(u8),
    /// A `GOAWAY` with a last stream below the request.
    GoAwayBefore(u8),
    /// A `GOAWAY` with the request as the last stream, and the end of the connection.
    GoAwayAfter(u8),
    /// Headers with a field of a request.
    MalformedHeaders,
}

impl Act {
    fn frame(self, stream: [u8; 4]) -> Vec<u8> {
        let (kind, flags, of, payload) = match self {
            Self::Reset(code) => (3, 0, stream, vec![0, 0, 0, code]),
            Self::GoAwayBefore(code) => (7, 0, [0; 4], vec![0, 0, 0, 0, 0, 0, 0, code]),
            Self::GoAwayAfter(code) => (7, 0, [0; 4], [stream, [0, 0, 0, code]].concat()),
            // `:method: GET`, the second entry of the static table, ends headers and stream.
            Self::MalformedHeaders => (HEADERS, 5, stream, vec![0x82]),
        };
        let length = u8::try_from(payload.len()).expect("a short frame");
        [&[0, 0, length, kind, flags][..], &of, &payload].concat()
    }
}

/// Starts a server, and returns the number of received requests.
fn server(act: Act) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&requests);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            thread::spawn(move || -> std::io::Result<()> {
                let (mut preface, mut head) = ([0; 24], [0; 9]);
                stream.read_exact(&mut preface)?;
                stream.write_all(&SETTINGS)?;
                loop {
                    stream.read_exact(&mut head)?;
                    let length = usize::from(head[1]) << 8 | usize::from(head[2]);
                    stream.read_exact(&mut vec![0; length])?;
                    if head[3] == HEADERS {
                        seen.fetch_add(1, SeqCst);
                        stream.write_all(&act.frame([head[5], head[6], head[7], head[8]]))?;
                        if matches!(act, Act::GoAwayAfter(_)) {
                            return Ok(());
                        }
                    }
                }
            });
        }
    });
    (address, requests)
}

/// Turns off the client's own retries of such streams.
fn client() -> Client {
    let builder = Client::builder().no_proxy().http2_prior_knowledge().retry(of_client::never());
    builder.build().expect("a client")
}

#[retry(on = classify, idempotent = method.is_idempotent())]
async fn send(method: Method, url: &str) -> reqwest::Result<Response> {
    client().request(method.clone(), url).send().await
}

/// Checks the class of the error, and the requests of a GET and of a POST.
async fn check(acts: &[Act], class: FailureClass, received: [usize; 2]) {
    let _guard = testing::no_waits();
    for act in acts {
        for (method, received) in [Method::GET, Method::POST].into_iter().zip(received) {
            let (address, requests) = server(*act);
            let error = send(method, &format!("http://{address}/")).await.expect_err("no response");
            assert_eq!(classify(&error), class, "{act:?} {error:?}");
            assert_eq!(requests.load(SeqCst), received, "{act:?} {error:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_was_not_processed_is_retried_for_every_method() {
    let acts = [
        Act::Reset(REFUSED_STREAM),
        Act::GoAwayBefore(NO_ERROR),
        Act::GoAwayBefore(PROTOCOL_ERROR),
        Act::GoAwayBefore(INTERNAL_ERROR),
    ];
    check(&acts, FailureClass::transient().effect(Effect::Refused), [3, 3]).await;
    let calm = FailureClass::throttled(None).effect(Effect::Refused);
    check(&[Act::GoAwayBefore(ENHANCE_YOUR_CALM)], calm, [3, 3]).await;
}

#[tokio::test]
async fn a_reset_stream_is_retried_for_idempotent_methods_only() {
    let acts = [
        Act::Reset(NO_ERROR),
        Act::Reset(PROTOCOL_ERROR),
        Act::Reset(INTERNAL_ERROR),
        Act::Reset(CANCEL),
        Act::GoAwayAfter(NO_ERROR),
        Act::GoAwayAfter(INTERNAL_ERROR),
    ];
    check(&acts, FailureClass::transient(), [3, 1]).await;
    // The request may have been applied before the server asked for fewer requests.
    check(&[Act::Reset(ENHANCE_YOUR_CALM)], FailureClass::throttled(None), [3, 1]).await;
}

#[tokio::test]
async fn a_protocol_that_the_server_does_not_accept_is_permanent() {
    let acts = [Act::Reset(HTTP_1_1_REQUIRED), Act::Reset(INADEQUATE_SECURITY)];
    check(&acts, FailureClass::permanent(), [1, 1]).await;
    let refused = FailureClass::permanent().effect(Effect::Refused);
    check(&[Act::GoAwayBefore(INADEQUATE_SECURITY)], refused, [1, 1]).await;
}

/// The client closes the connection after a number of malformed responses.
#[tokio::test]
async fn a_connection_closed_by_the_client_is_transient() {
    let (address, _) = server(Act::MalformedHeaders);
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.http2_only(true).http2_max_local_error_reset_streams(Some(2));
    let client: legacy::Client<_, Body> = builder.build_http();
    let (sender, mut errors) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..6 {
        let uri = format!("http://{address}/").parse().expect("an address");
        let (request, sender) = (client.get(uri), sender.clone());
        tokio::spawn(async move { sender.send(request.await.expect_err("no response")) });
    }
    // The stream that exceeds the limit never ends in `h2` 0.4.20.
    let mut classes = Vec::new();
    for _ in 0..5 {
        classes.push(classify(&errors.recv().await.expect("an error")));
    }
    let (malformed, closed) = (FailureClass::permanent(), FailureClass::transient());
    assert_eq!(classes, [malformed, malformed, closed, closed, closed]);
}
