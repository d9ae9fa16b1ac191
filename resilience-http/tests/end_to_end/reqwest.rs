//! The async client of `reqwest`.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::time::Duration;

use ::reqwest::{Client, Method, Response, redirect};
use resilience::http::{classify, classify_response};
use resilience::{
    CircuitBreaker, CircuitState, DelaySource, Effect, FailureClass, Rejected, RetryEvent,
    StopReason, circuit_breaker, retry, testing,
};

use crate::server::{Act::*, Server};
use crate::{KEPT, KEPT_SCRIPT, OK, SCENARIOS, check};

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

fn client(limit: Duration) -> Client {
    let builder = Client::builder().no_proxy().timeout(limit);
    builder.redirect(redirect::Policy::limited(2)).build().expect("a client")
}

/// Sends a request and reads the whole response.
#[retry(on = classify, on_ok = classify_response, idempotent = method.is_idempotent())]
async fn fetch(
    client: &Client,
    method: Method,
    url: &str,
) -> Result<http::Response<String>, reqwest::Error> {
    let response = client.request(method.clone(), url).send().await?;
    let mut whole = http::Response::builder().status(response.status());
    if let Some(headers) = whole.headers_mut() {
        headers.clone_from(response.headers());
    }
    let body = response.text().await?;
    Ok(whole.body(body).expect("a response"))
}

#[tokio::test]
async fn every_scenario() {
    let _guard = testing::no_waits();
    for scenario in &SCENARIOS {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let post = method == Method::POST;
            let result = fetch(&client(scenario.limit()), method, &server.url()).await;
            check(scenario, post, &server, result.ok().map(|it| it.status().as_u16()));
        }
    }
}

#[tokio::test]
async fn a_response_of_the_client_is_classified() {
    #[retry(on = classify, on_ok = classify_response, on_retry = |event: &RetryEvent<'_, _>| {
        waits.borrow_mut().push((event.delay, event.delay_source));
    })]
    async fn get(
        client: &Client,
        url: &str,
        waits: &RefCell<Vec<(Duration, DelaySource)>>,
    ) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let _guard = testing::no_waits();
    let server = Server::new(&[Respond(429, "retry-after: 7\r\n"), Respond(503, ""), OK]);
    let waits = RefCell::default();
    let response = get(&client(LIMIT), &server.url(), &waits).await.expect("a response");
    assert_eq!((response.status().as_u16(), server.requests()), (200, 3));
    let waits = waits.into_inner();
    assert_eq!(waits[0], (Duration::from_secs(7), DelaySource::Server));
    assert_eq!(waits[1].1, DelaySource::Backoff);
}

#[tokio::test]
async fn a_refused_connection_is_retried_for_every_method() {
    #[retry(on = classify, idempotent = method.is_idempotent())]
    async fn send(method: Method, url: &str, calls: &Cell<u32>) -> reqwest::Result<Response> {
        calls.set(calls.get() + 1);
        client(LIMIT).request(method.clone(), url).send().await
    }
    let _guard = testing::no_waits();
    for method in [Method::GET, Method::POST] {
        let calls = Cell::new(0);
        assert!(send(method, &Server::unused_url(), &calls).await.is_err_and(|it| it.is_connect()));
        assert_eq!(calls.get(), 3);
    }
}

#[tokio::test]
async fn a_post_with_a_body_is_not_repeated() {
    #[retry(on = classify, on_ok = classify_response, idempotent = false)]
    async fn post(url: &str) -> reqwest::Result<Response> {
        client(Duration::from_millis(150)).post(url).body("amount=5").send().await
    }
    let _guard = testing::no_waits();
    for (script, received) in [(Reset, 1), (Close, 1), (Hang, 1), (ResetUnread, 0)] {
        let server = Server::new(&[script, OK]);
        assert!(post(&server.url()).await.is_err());
        assert_eq!((server.requests(), server.connections()), (received, 1), "{script:?}");
    }
}

#[tokio::test]
async fn a_get_survives_a_closed_kept_alive_connection() {
    let _guard = testing::no_waits();
    for (method, received, ended) in KEPT {
        let server = Server::new(&KEPT_SCRIPT);
        let client = client(LIMIT);
        assert!(fetch(&client, method.clone(), &server.url()).await.is_ok());
        let result = fetch(&client, method, &server.url()).await;
        assert_eq!(result.ok().map(|it| it.status().as_u16()), ended);
        assert_eq!(server.requests(), received);
    }
    // The server closes at once, so the second request meets a closing or closed connection.
    let server = Server::new(&[RespondAndClose(200), OK]);
    let client = client(LIMIT);
    for _ in 0..2 {
        assert!(fetch(&client, Method::GET, &server.url()).await.is_ok());
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn the_client_follows_redirects() {
    let _guard = testing::no_waits();
    let redirected = Respond(307, "location: /there\r\n");
    let server = Server::new(&[redirected, Respond(503, ""), redirected, OK]);
    let result = fetch(&client(LIMIT), Method::GET, &server.url()).await.expect("a response");
    assert_eq!((result.status().as_u16(), server.requests()), (200, 4));

    // A redirect loop: the client gives up, and no retry follows.
    let server = Server::new(&[redirected]);
    let error = fetch(&client(LIMIT), Method::GET, &server.url()).await.expect_err("a loop");
    assert!(error.is_redirect());
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn the_event_has_the_stop_reason() {
    #[retry(on = classify, on_ok = classify_response, idempotent = false, on_give_up = |event| {
        *end.borrow_mut() = Some((event.reason, event.class.after));
    })]
    async fn post(
        url: &str,
        end: &RefCell<Option<(StopReason, Option<Duration>)>>,
    ) -> reqwest::Result<Response> {
        client(LIMIT).post(url).send().await
    }
    let _guard = testing::no_waits();
    for (act, reason, after) in [
        (Close, StopReason::NotIdempotent, None),
        (Respond(429, "retry-after: 120\r\n"), StopReason::RetryAfter, Some(120)),
        (
            Respond(429, "retry-after: 99999999999999999999\r\n"),
            StopReason::RetryAfter,
            Some(u64::MAX),
        ),
    ] {
        let server = Server::new(&[act]);
        let end = RefCell::default();
        let _ = post(&server.url(), &end).await;
        assert_eq!(end.take(), Some((reason, after.map(Duration::from_secs))));
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn error_for_status_keeps_the_status() {
    #[retry(on = classify)]
    async fn get(url: &str) -> reqwest::Result<Response> {
        client(LIMIT).get(url).send().await?.error_for_status()
    }
    let _guard = testing::no_waits();
    let server = Server::new(&[Respond(503, ""), OK]);
    assert!(get(&server.url()).await.is_ok());
    assert_eq!(server.requests(), 2);
    let server = Server::new(&[Respond(404, ""), OK]);
    assert!(get(&server.url()).await.is_err_and(|it| it.is_status()));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_breaker_opens_on_failed_responses() {
    #[circuit_breaker(breaker = breaker, on_ok = classify_response)]
    async fn get(
        breaker: &CircuitBreaker,
        url: &str,
    ) -> Result<Response, Box<dyn Error + Send + Sync>> {
        Ok(client(LIMIT).get(url).send().await?)
    }
    let breaker = CircuitBreaker::new().failure_threshold(3);
    let script = [503, 500, 404, 503, 429, 502, 200].map(|status| Respond(status, ""));
    let server = Server::new(&script);
    for status in [503, 500, 404, 503, 429, 502] {
        assert_eq!(breaker.state(), CircuitState::Closed, "before {status}");
        let response = get(&breaker, &server.url()).await.expect("a response");
        assert_eq!(response.status(), status);
    }
    for _ in 0..3 {
        let result = get(&breaker, &server.url()).await;
        assert!(result.is_err_and(|error| error.is::<Rejected>()));
    }
    assert_eq!(server.requests(), 6);
}

#[tokio::test]
async fn a_404_after_an_ambiguous_attempt_is_a_success() {
    #[retry(on = classify, on_ok = |gone| match gone {
        Ok(()) => FailureClass::permanent(),
        Err(response) => classify_response(response),
    }, bind = attempt)]
    async fn delete(url: &str) -> reqwest::Result<Result<(), Response>> {
        let response = client(LIMIT).delete(url).send().await?;
        let gone = response.status() == 404 && attempt.after_ambiguous();
        Ok(if gone || response.status().is_success() { Ok(()) } else { Err(response) })
    }
    let _guard = testing::no_waits();
    for (script, gone) in [
        (&[OK][..], true),
        (&[Respond(404, "")], false),
        (&[Close, Respond(404, "")], true),
        (&[Respond(503, ""), Respond(404, "")], true),
        (&[Respond(429, ""), Respond(404, "")], false),
    ] {
        let server = Server::new(script);
        let result = delete(&server.url()).await.expect("a response");
        assert_eq!((result.is_ok(), server.requests()), (gone, script.len()), "{script:?}");
    }
}

/// A resolver without names.
#[derive(Debug)]
pub(crate) struct NoNames;

impl reqwest::dns::Resolve for NoNames {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move { Err(format!("{} is unknown", name.as_str()).into()) })
    }
}

#[tokio::test]
async fn an_unresolved_name_is_transient() {
    let client = Client::builder().no_proxy().dns_resolver(NoNames).build().expect("a client");
    let error = client.post("http://api.example/").send().await.expect_err("no address");
    assert!(error.is_connect());
    assert_eq!(classify(&error), FailureClass::transient().effect(Effect::NotSent));
}
