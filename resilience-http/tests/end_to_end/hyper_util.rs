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

/// The whole answer, and a time to do it in: a boxed error holds whichever went wrong.
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
    // Not `no_waits`, which would let the timeout pass at once.
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

/// The error of the client as it is, and the head of the answer only.
#[retry(on = classify, on_ok = classify_response, idempotent = method.is_idempotent())]
async fn send(
    client: &Client<HttpConnector, String>,
    method: Method,
    url: &str,
) -> Result<Response<hyper::body::Incoming>, legacy::Error> {
    client.request(request(&method, url)).await
}

#[tokio::test]
async fn a_connection_that_is_closed_under_the_client_costs_a_get_nothing() {
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
async fn its_own_error_is_known() {
    let _guard = testing::no_waits();
    for (method, received) in [(Method::GET, 2), (Method::POST, 1)] {
        let server = Server::new(&[Close, OK]);
        assert_eq!(send(&client(), method, &server.url()).await.is_ok(), received == 2);
        assert_eq!(server.requests(), received);
    }
}

#[tokio::test]
async fn a_refused_connection_is_safe_to_repeat_for_every_method() {
    #[retry(on = classify, idempotent = false)]
    async fn post(url: &str, calls: &Cell<u32>) -> Result<(), legacy::Error> {
        calls.set(calls.get() + 1);
        client().request(request(&Method::POST, url)).await.map(drop)
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert!(post(&Server::nobody(), &calls).await.is_err_and(|it| it.is_connect()));
    assert_eq!(calls.get(), 3);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = Server::new(&[Answer(302, "location: /there\r\n"), OK]);
    let response = send(&client(), Method::GET, &server.url()).await.expect("an answer");
    assert_eq!((response.status().as_u16(), server.requests()), (302, 1));
}
