//! Failures after a redirect: the first request was applied.

use ::reqwest::redirect::Policy;
use ::reqwest::{Client, ClientBuilder, Error, Method, Request, Response, Url};
use resilience::http::{Classifier, IDEMPOTENCY_KEY, RetryLayer};
use resilience::{RetryPolicy, retry, testing};
use std::time::Duration;
use tower::{Layer, ServiceExt};

use crate::server::Act::{self, *};
use crate::server::Server;
use crate::{OK, reqwest::NoNames};

const POLICY: RetryPolicy = RetryPolicy::new().attempts(4).base_delay(Duration::ZERO);

/// Nobody listens at this port.
const TO_UNUSED_PORT: &str = "location: http://127.0.0.1:1/receipt\r\n";
const TO_UNKNOWN_NAME: &str = "location: http://receipts.example/\r\n";
const THERE: &str = "location: /receipt\r\n";

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];
const REFUSALS: [u16; 7] = [429, 421, 425, 521, 522, 523, 503];

/// The servers apply the first request, and the request after the redirect fails.
fn scripts() -> Vec<Vec<Act>> {
    let to = |location| REDIRECTS.map(|status| vec![Respond(status, location)]);
    let mut scripts: Vec<_> = [to(TO_UNUSED_PORT), to(TO_UNKNOWN_NAME)].concat();
    for redirect in REDIRECTS {
        for refusal in REFUSALS {
            let pair = [Respond(redirect, THERE), Respond(refusal, "")];
            scripts.push([pair; 4].concat());
        }
        scripts.push([[Respond(redirect, THERE), Close]; 4].concat());
    }
    scripts
}

fn builder() -> ClientBuilder {
    Client::builder().no_proxy().dns_resolver(NoNames)
}

fn client() -> Client {
    builder().build().expect("a client")
}

fn request(method: &Method, url: &str) -> Request {
    Request::new(method.clone(), Url::parse(url).expect("an address"))
}

/// Returns the number of requests for the first URL.
fn applied(server: &Server, method: &Method) -> usize {
    server.requests_with(&format!("{method} / "))
}

#[tokio::test]
async fn the_retry_layer_sends_a_post_once() {
    let _guard = testing::no_waits();
    for script in scripts() {
        let server = Server::new(&script);
        let service = RetryLayer::new(POLICY).layer(client());
        let mut post = request(&Method::POST, &server.url());
        *post.body_mut() = Some("amount=5".into());
        let _ = service.oneshot(post).await;
        assert_eq!(applied(&server, &Method::POST), 1, "{script:?}");
    }
}

/// The refused GET after a 303 to the URL of the POST is no different from a refused POST.
#[tokio::test]
async fn the_retry_layer_sends_a_post_once_that_is_redirected_to_its_own_url() {
    const BACK: &str = "location: /\r\n";
    let _guard = testing::no_waits();
    for redirect in [301, 302, 303] {
        for refusal in REFUSALS {
            let server =
                Server::new(&[[Respond(redirect, BACK), Respond(refusal, "")]; 4].concat());
            let service = RetryLayer::new(POLICY).layer(client());
            let response = service.oneshot(request(&Method::POST, &server.url())).await;
            assert_eq!(response.expect("a response").status().as_u16(), refusal);
            assert_eq!(applied(&server, &Method::POST), 1, "{redirect} {refusal}");
        }
    }
}

#[tokio::test]
async fn a_refused_post_is_repeated_only_by_a_client_without_redirects() {
    let _guard = testing::no_waits();
    let direct = builder().redirect(Policy::none()).build().expect("a client");
    for (follows, expected) in [(None, 1), (Some(true), 1), (Some(false), 2)] {
        let rules = Classifier::new();
        let rules = follows.map_or(rules, |follows| rules.follows_redirects(follows));
        let server = Server::new(&[Respond(429, ""), OK]);
        let service = RetryLayer::new(POLICY).classifier(rules).layer(direct.clone());
        assert!(service.oneshot(request(&Method::POST, &server.url())).await.is_ok());
        assert_eq!(server.requests(), expected, "{follows:?}");
    }
}

#[tokio::test]
async fn the_retry_layer_repeats_a_get_and_a_post_with_a_key() {
    let _guard = testing::no_waits();
    for method in [Method::GET, Method::POST] {
        for script in [&[Respond(303, TO_UNUSED_PORT)][..], &[Respond(307, TO_UNKNOWN_NAME)]] {
            let server = Server::new(script);
            let mut keyed = request(&method, &server.url());
            keyed.headers_mut().insert(IDEMPOTENCY_KEY, "order-7".try_into().expect("a value"));
            let result = RetryLayer::new(POLICY).layer(client()).oneshot(keyed).await;
            assert!(result.expect_err("no receipt").is_connect());
            assert_eq!(applied(&server, &method), 4, "{method} {script:?}");
        }
    }
}

#[tokio::test]
async fn a_classifier_with_the_url_protects_a_function() {
    static RULES: Classifier = Classifier::new().follows_redirects(true);

    #[retry(
        attempts = 4,
        idempotent = false,
        on = |error| RULES.error(error),
        on_ok = |response| RULES.response_to(url, response)
    )]
    async fn post(client: &Client, url: &str) -> Result<Response, Error> {
        client.post(url).body("amount=5").send().await
    }
    let _guard = testing::no_waits();
    for script in scripts() {
        let server = Server::new(&script);
        let _ = post(&client(), &server.url()).await;
        assert_eq!(applied(&server, &Method::POST), 1, "{script:?}");
    }
    // A refusal by the URL of the request is still proof.
    let server = Server::new(&[Respond(429, ""), Respond(425, ""), OK]);
    let response = post(&client(), &format!("{}#top", server.url())).await.expect("a response");
    assert_eq!((response.status().as_u16(), server.requests()), (200, 3));
}

#[tokio::test]
async fn a_refused_connection_proves_nothing_unless_the_client_follows_no_redirects() {
    let _guard = testing::no_waits();
    let direct = builder().redirect(Policy::none()).build().expect("a client");
    let declared = Classifier::new().follows_redirects(false);
    for (rules, method, expected) in [
        (Classifier::new(), Method::GET, 4),
        (Classifier::new(), Method::POST, 1),
        (declared, Method::POST, 4),
    ] {
        let calls = std::cell::Cell::new(0);
        let counted = tower::util::MapRequest::new(direct.clone(), |request: Request| {
            calls.set(calls.get() + 1);
            request
        });
        let service = RetryLayer::new(POLICY).classifier(rules).layer(counted);
        let result = service.oneshot(request(&method, &Server::unused_url())).await;
        assert!(result.expect_err("no listener").is_connect());
        assert_eq!(calls.get(), expected, "{method}");
    }
}

/// A refused first connection and a refused connection after a redirect are equal errors:
/// `reqwest` reports the URL of the request for both. Should this test fail, `RetryLayer` can tell
/// them apart.
#[tokio::test]
async fn an_error_does_not_name_the_failed_request_of_a_chain() {
    let server = Server::new(&[Respond(303, TO_UNUSED_PORT)]);
    let unused = Server::unused_url();
    for url in [server.url(), unused] {
        let error = client().execute(request(&Method::POST, &url)).await.expect_err("refused");
        assert!(error.is_connect());
        assert_eq!(error.url().map(Url::as_str), Some(&*url));
    }
    assert_eq!(server.requests(), 1);
}
