//! HTTP/2 stream and connection errors, frame by frame.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use ::reqwest::{Client, Response, retry as of_client};
use resilience::http::classify;
use resilience::{Effect, FailureClass, retry, testing};

const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const HEADERS: u8 = 1;

/// Starts a server with this frame as the response to every request, and returns the request
/// counter.
fn server(frame: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
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
                        stream.write_all(frame)?;
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

#[retry(on = classify, idempotent = false)]
async fn post(url: &str) -> reqwest::Result<Response> {
    client().post(url).body("amount=5").send().await
}

#[tokio::test]
async fn an_unprocessed_stream_is_retried_for_every_method() {
    const REFUSED: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 7];
    const CALM: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 11];
    const INTERNAL: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    const GOING: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let _guard = testing::no_waits();
    for (frame, received, class) in [
        (REFUSED, 3, FailureClass::transient().effect(Effect::Refused)),
        (CALM, 3, FailureClass::throttled(None).effect(Effect::Refused)),
        (GOING, 3, FailureClass::transient().effect(Effect::Refused)),
        (INTERNAL, 1, FailureClass::permanent()),
    ] {
        let (address, requests) = server(frame);
        let error = post(&format!("http://{address}/")).await.expect_err("no response");
        assert_eq!(classify(&error), class, "{error:?}");
        assert_eq!(requests.load(SeqCst), received, "{error:?}");
    }
}
