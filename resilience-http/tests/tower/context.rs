//! The context of a call between client and server.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, Request, Response};
use resilience::context::{self, Context, Priority};
use resilience::http::{
    ClientContextLayer, ContextHeaders, DeadlineFormat, RetryLayer, ServerContextLayer,
    WithContext as _, context_from, with_context,
};
use resilience::{Effect, Nested, Rejected, RejectedKind, RetryPolicy, testing};
use tower::{Service as _, ServiceBuilder, service_fn};

const SECS: fn(u64) -> Duration = Duration::from_secs;

/// The context that a handler saw.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    left: Option<Duration>,
    attempt: Option<u32>,
    priority: Option<Priority>,
    nested: Option<Nested>,
}

impl Seen {
    fn now() -> Self {
        Self {
            left: context::remaining(),
            attempt: context::attempt(),
            priority: context::priority(),
            nested: context::nested(),
        }
    }
}

fn request(headers: &[(&str, &str)]) -> Request<()> {
    let request = headers
        .iter()
        .fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
    request.body(()).expect("a request")
}

/// A server whose handler answers with the context.
struct Server {
    layer: ServerContextLayer,
    runs: AtomicU32,
}

impl Server {
    fn new(layer: ServerContextLayer) -> Self {
        Self { layer, runs: AtomicU32::new(0) }
    }

    /// Sends requests, and returns the responses.
    async fn send(&self, requests: Vec<Request<()>>) -> Vec<Response<Option<Seen>>> {
        let handler = service_fn(|_: Request<()>| async {
            self.runs.fetch_add(1, Relaxed);
            Ok::<_, Infallible>(Response::new(Some(Seen::now())))
        });
        let mut service = ServiceBuilder::new().layer(self.layer.clone()).service(handler);
        let mut responses = Vec::new();
        for request in requests {
            responses.push(service.call(request).await.expect("no error"));
        }
        responses
    }

    async fn seen(&self, headers: &[(&str, &str)]) -> Seen {
        let mut responses = self.send(vec![request(headers)]).await;
        responses.pop().and_then(Response::into_body).expect("the handler ran")
    }
}

#[tokio::test]
async fn a_server_takes_the_deadline_the_attempt_and_the_priority() {
    let _clock = testing::clock();
    let server = Server::new(ServerContextLayer::new(SECS(30)));
    let seen = server
        .seen(&[
            ("x-request-timeout-ms", "5000"),
            ("x-request-attempt", "3"),
            ("x-request-priority", "Sheddable-Plus"),
        ])
        .await;
    let (attempt, priority) = (Some(3), Some(Priority::SheddablePlus));
    assert_eq!(seen, Seen { left: Some(SECS(5)), attempt, priority, nested: None });
    let grpc = server
        .seen(&[
            ("content-type", "application/grpc+proto"),
            ("grpc-timeout", "7S"),
            ("grpc-previous-rpc-attempts", "2"),
            ("x-request-nested", "outer_only"),
        ])
        .await;
    let nested = Some(Nested::OuterOnly);
    assert_eq!(grpc, Seen { left: Some(SECS(7)), attempt: Some(3), priority: None, nested });
    assert_eq!(Seen::now(), Seen::default());
}

#[tokio::test]
async fn the_maximum_of_the_server_bounds_every_request() {
    let _clock = testing::clock();
    let server = Server::new(ServerContextLayer::new(SECS(30)));
    for value in ["86400000", "30000", "soon", "-1", "+1", "99999999999999999999", ""] {
        let seen = server.seen(&[("x-request-timeout-ms", value)]).await;
        assert_eq!(seen.left, Some(SECS(30)), "{value}");
    }
    assert_eq!(server.seen(&[]).await.left, Some(SECS(30)));
    assert_eq!(server.seen(&[("grpc-timeout", "5x")]).await.left, Some(SECS(30)));
    let both = [("grpc-timeout", "9S"), ("x-request-timeout-ms", "4000")];
    assert_eq!(server.seen(&both).await.left, Some(SECS(4)));
}

#[tokio::test]
async fn a_request_after_its_deadline_is_refused_before_the_handler() {
    let server = Server::new(ServerContextLayer::new(SECS(30)));
    let refused = server.send(vec![request(&[("x-request-timeout-ms", "0")])]).await;
    assert_eq!(refused[0].status(), 504);
    assert_eq!(refused[0].extensions().get(), Some(&Effect::NotSent));
    assert_eq!(server.runs.load(Relaxed), 0);
    for (content_type, answered) in [
        ("application/grpc", "application/grpc"),
        ("Application/GRPC+proto", "application/grpc"),
        ("application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text; charset=ascii", "application/grpc-web-text+proto"),
    ] {
        let server = Server::new(ServerContextLayer::new(SECS(30)));
        let grpc = [("content-type", content_type), ("grpc-timeout", "0n")];
        let refused = server.send(vec![request(&grpc)]).await;
        assert_eq!(refused[0].status(), 200, "{content_type}");
        assert_eq!(refused[0].headers()["content-type"], answered);
        assert_eq!(refused[0].headers()["grpc-status"], "4");
        assert_eq!(refused[0].headers()["resilience-effect"], "refused");
        assert_eq!(server.runs.load(Relaxed), 0);
    }
    // Another type with the same start is no gRPC.
    let server = Server::new(ServerContextLayer::new(SECS(30)));
    let other = [("content-type", "application/grpcurl"), ("x-request-timeout-ms", "0")];
    assert_eq!(server.send(vec![request(&other)]).await[0].status(), 504);
}

#[tokio::test]
async fn a_wrong_clock_closes_at_most_a_fifth_of_the_service() {
    let clock = testing::clock();
    let deadline = HeaderName::from_static("x-deadline");
    let names = ContextHeaders::new().deadline(deadline, DeadlineFormat::UnixMillis);
    let server = Server::new(ServerContextLayer::new(SECS(30)).headers(names));
    // The clock of the client is an hour behind.
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let past = since_1970.saturating_sub(SECS(3600));
    let past = past.as_millis().to_string();
    let requests = |count| (0..count).map(|_| request(&[("x-deadline", &past)])).collect();
    let handler =
        service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(Response::new(Some(Seen::now())))));
    let mut service = ServiceBuilder::new().layer(server.layer.clone()).service(handler);
    let mut refused = Vec::new();
    for (index, request) in
        Vec::from_iter::<Vec<Request<()>>>(requests(100)).into_iter().enumerate()
    {
        let response = service.call(request).await.expect("no error");
        match response.into_body() {
            // The deadline of the client is not believed.
            Some(seen) => assert_eq!(seen.left, Some(SECS(30))),
            None => refused.push(index),
        }
        clock.advance(Duration::from_millis(50));
    }
    assert_eq!(refused.len(), 20);
    let evenly: Vec<usize> = (0..100).step_by(5).collect();
    assert_eq!(refused, evenly);
}

/// A router of `axum` makes a service of the layer for each route.
#[tokio::test]
async fn the_services_of_a_layer_share_the_count_of_refusals() {
    let _clock = testing::clock();
    let server = Server::new(ServerContextLayer::new(SECS(30)));
    for _ in 0..20 {
        server.send(vec![request(&[("x-request-timeout-ms", "0")])]).await;
    }
    assert_eq!(server.runs.load(Relaxed), 16);
}

/// A client that records the headers of its requests.
type Sent = Arc<Mutex<Vec<HeaderMap>>>;

fn recorded(
    sent: &Sent,
) -> impl Fn(Request<String>) -> Ready<Result<Response<()>, Infallible>> + Clone {
    let sent = Arc::clone(sent);
    move |request| {
        sent.lock().expect("no panic").push(request.headers().clone());
        let mut response = Response::new(());
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        ready(Ok(response))
    }
}

#[tokio::test]
async fn each_attempt_sends_the_time_left_and_its_number() {
    let clock = testing::clock();
    let sent = Sent::default();
    let policy = RetryPolicy::new().attempts(3).fixed().base_delay(SECS(1));
    let mut client = ServiceBuilder::new()
        .layer(RetryLayer::new(policy))
        .layer(ClientContextLayer::new())
        .service(service_fn(recorded(&sent)));
    let context = Context::new().deadline(SECS(10), "import").priority(Priority::Critical);
    let call = client.call(Request::new(String::new()));
    // The call runs in the context; the layer below reads the context in each attempt.
    drop(call);
    sent.lock().expect("no panic").clear();
    let outcome = context.scope(async { client.call(Request::new(String::new())).await }).await;
    assert_eq!(outcome.expect("a response").status(), 503);
    let sent = sent.lock().expect("no panic");
    let values = |name: &str| -> Vec<String> {
        let value = |headers: &HeaderMap| headers[name].to_str().expect("text").to_owned();
        sent.iter().map(value).collect()
    };
    assert_eq!(values("x-request-timeout-ms"), ["10000", "9000", "8000"]);
    assert_eq!(values("x-request-attempt"), ["1", "2", "3"]);
    assert_eq!(values("x-request-priority"), ["critical"; 3]);
    assert_eq!(clock.elapsed(), SECS(2));
}

#[tokio::test]
async fn a_client_sends_nothing_after_the_deadline() {
    let clock = testing::clock();
    let sent = Sent::default();
    let mut client =
        ServiceBuilder::new().layer(ClientContextLayer::new()).service(service_fn(recorded(&sent)));
    let context = Context::new().deadline(SECS(1), "import");
    clock.advance(SECS(1));
    let error = context.scope(async { client.call(Request::new(String::new())).await }).await;
    let error = error.expect_err("a rejection");
    let rejected = error.downcast_ref::<Rejected>().expect("a rejection");
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!(rejected.deadline_set_by(), Some("import"));
    assert!(sent.lock().expect("no panic").is_empty());
    let status = context.run(|| with_context(tonic::Request::new(()))).expect_err("not sent");
    assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
}

/// Without the context the caller has less time: `Request::set_timeout` of `tonic`, or a header.
#[test]
fn an_earlier_deadline_of_the_request_stays() {
    let _clock = testing::clock();
    let within = |secs| Context::new().deadline(SECS(secs), "import");
    let timeout = |secs: u64| {
        let mut request = tonic::Request::new(());
        request.set_timeout(SECS(3));
        let request = within(secs).run(|| with_context(request)).expect("in time");
        let timeout = request.metadata().get("grpc-timeout").expect("a value");
        timeout.to_str().expect("text").to_owned()
    };
    assert_eq!((timeout(10), timeout(2)), ("3000000u".to_owned(), "2000000u".to_owned()));
    let millis = |known: &'static str| {
        let mut request = request(&[("x-request-timeout-ms", known)]);
        within(10).run(|| ContextHeaders::new().write(request.headers_mut()));
        request.headers()["x-request-timeout-ms"].to_str().expect("text").to_owned()
    };
    assert_eq!(["3000", "20000", "soon"].map(millis), ["3000", "10000", "10000"]);
}

/// A server refuses a request with zero.
#[test]
fn less_than_a_millisecond_is_sent_as_a_millisecond() {
    let _clock = testing::clock();
    let mut headers = HeaderMap::new();
    let context = Context::new().deadline(Duration::from_micros(300), "import");
    context.run(|| ContextHeaders::new().write(&mut headers));
    assert_eq!(headers["x-request-timeout-ms"], "1");
}

#[test]
fn the_interceptor_and_the_request_builder_write_the_same_context() {
    let _clock = testing::clock();
    let only = RetryPolicy::new().attempts(2).nested(Nested::OuterOnly);
    let context = Context::new().deadline(SECS(5), "import").priority(Priority::Sheddable);
    context.run(|| {
        let outcome: Result<(), ()> = only.run(|| {
            let request = with_context(tonic::Request::new(())).expect("in time");
            let metadata = request.metadata();
            assert_eq!(metadata.get("grpc-timeout").expect("a value"), "5000000u");
            assert_eq!(metadata.get("x-request-nested").expect("a value"), "outer_only");
            assert!(metadata.get("content-type").is_none());
            let context = context_from(metadata, SECS(30));
            assert_eq!(context.remaining(), Some(SECS(5)));
            let builder = reqwest::Client::new().get("http://inventory.test");
            let request = builder.with_context().build().expect("a request");
            assert_eq!(request.headers()["x-request-timeout-ms"], "5000");
            assert_eq!(request.headers()["x-request-priority"], "sheddable");
            Ok(())
        });
        outcome.expect("no failure");
    });
    let plain = with_context(tonic::Request::new(())).expect("no deadline");
    assert!(plain.metadata().is_empty());
}
