//! The client of `hyper-util`.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use ::hyper_util::client::legacy::{self, Client, connect::HttpConnector};
use ::hyper_util::rt::TokioExecutor;
use http::{Method, Request, Response};
use resilience::http::{classify, classify_response};
use resilience::{retry, testing, timeout};

use crate::server::{Act::*, Server};
use crate::{KEPT, KEPT_SCRIPT, OK, SCENARIOS, check};

type BoxError = Box<dyn Error + Send + Sync>;

fn client() -> Client<HttpConnector, String> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn request(method: &Method, url: &str) -> Request<String> {
    Request::builder().method(method).uri(url).body(String::new()).expect("a request")
}

/// Reads the whole response within a limit. A boxed error holds a client error or a timeout.
#[retry(on = classify, on_ok = classify_response, idempotent = method.is_idempotent())]
#[timeout(limit)]
async fn fetch(
    client: &Client<HttpConnector, String>,
    method: Method,
    url: &str,
    limit: Duration,
) -> Result<Response<String>, BoxError> {
    let (head, body) = client.request(request(&method, url)).await?.into_parts();
    let body = read(body).await?;
    Ok(Response::from_parts(head, body))
}

async fn read(mut body: hyper::body::Incoming) -> hyper::Result<String> {
    use hyper::body::Body;
    let mut text = String::new();
    while let Some(frame) =
        std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
    {
        if let Ok(data) = frame?.into_data() {
            text.push_str(&String::from_utf8_lossy(&data));
        }
    }
    Ok(text)
}

#[tokio::test]
async fn every_scenario() {
    // `no_waits` is unsuitable here: the timeout would pass at once.
    let _draws = testing::draws([0.0]);
    for scenario in SCENARIOS.iter().filter(|it| it.name != "429, later") {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let post = method == Method::POST;
            let result = fetch(&client(), method, &server.url(), scenario.limit()).await;
            check(scenario, post, &server, result.ok().map(|it| it.status().as_u16()));
        }
    }
}

/// Returns the head of the response, or the client error without a box.
#[retry(on = classify, on_ok = classify_response, idempotent = method.is_idempotent())]
async fn send(
    client: &Client<HttpConnector, String>,
    method: Method,
    url: &str,
) -> Result<Response<hyper::body::Incoming>, legacy::Error> {
    client.request(request(&method, url)).await
}

#[tokio::test]
async fn a_get_survives_a_closed_kept_alive_connection() {
    let _draws = testing::draws([0.0]);
    for (method, received, ended) in KEPT {
        let (server, client) = (Server::new(&KEPT_SCRIPT), client());
        let limit = Duration::from_secs(10);
        assert!(fetch(&client, method.clone(), &server.url(), limit).await.is_ok());
        let result = fetch(&client, method, &server.url(), limit).await;
        assert_eq!(result.ok().map(|it| it.status().as_u16()), ended);
        assert_eq!(server.requests(), received);
    }
}

#[tokio::test]
async fn the_client_error_is_classified() {
    let _guard = testing::no_waits();
    for (method, received) in [(Method::GET, 2), (Method::POST, 1)] {
        let server = Server::new(&[Close, OK]);
        assert_eq!(send(&client(), method, &server.url()).await.is_ok(), received == 2);
        assert_eq!(server.requests(), received);
    }
}

#[tokio::test]
async fn a_refused_connection_is_retried_for_every_method() {
    #[retry(on = classify, idempotent = false)]
    async fn post(url: &str, calls: &Cell<u32>) -> Result<(), legacy::Error> {
        calls.set(calls.get() + 1);
        client().request(request(&Method::POST, url)).await.map(drop)
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert!(post(&Server::unused_url(), &calls).await.is_err_and(|it| it.is_connect()));
    assert_eq!(calls.get(), 3);
}

#[tokio::test]
async fn a_redirect_is_final() {
    let server = Server::new(&[Respond(302, "location: /there\r\n"), OK]);
    let response = send(&client(), Method::GET, &server.url()).await.expect("a response");
    assert_eq!((response.status().as_u16(), server.requests()), (302, 1));
}
