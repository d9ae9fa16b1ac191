//! Attributes on handlers of `axum`, through a router.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, Classify, Effect, FailureClass, RateLimiter, Rejected,
    RejectedKind, bulkhead, circuit_breaker, fallback, rate_limit, retry, testing, timeout,
};
use serde::Serialize;
use tower::ServiceExt;

#[derive(Debug, Serialize)]
struct Item {
    id: u32,
}

#[derive(Debug)]
enum AppError {
    NotFound,
    Down,
    Rejected(Rejected),
}

impl From<Rejected> for AppError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl Classify for AppError {
    fn classify(&self) -> FailureClass {
        match self {
            Self::NotFound => FailureClass::permanent(),
            Self::Down => FailureClass::transient(),
            Self::Rejected(rejected) => rejected.classify(),
        }
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Down => StatusCode::BAD_GATEWAY.into_response(),
            Self::Rejected(rejected) => rejected.into_response(),
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status")
}

async fn ask(api: &Router, path: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = api.clone().oneshot(request).await.expect("a router is infallible");
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).expect("text"))
}

async fn statuses<const N: usize>(api: &Router, paths: [&str; N]) -> [u16; N] {
    let mut statuses = [0; N];
    for (status, path) in statuses.iter_mut().zip(paths) {
        *status = ask(api, path).await.0;
    }
    statuses
}

#[tokio::test]
async fn a_breaker_counts_the_status_of_every_form_of_handler() {
    #[circuit_breaker(failure_threshold = 2)]
    async fn plain(Path(code): Path<u16>) -> Response {
        status(code).into_response()
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn opaque(Path(code): Path<u16>) -> impl IntoResponse {
        (status(code), Json(Item { id: 7 }))
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn opaque_result(Path(code): Path<u16>) -> impl IntoResponse + Send {
        lookup(code).map(Json)
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn result(Path(code): Path<u16>) -> Result<Json<Item>, AppError> {
        lookup(code).map(Json)
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn response_as_error(Path(code): Path<u16>) -> Result<Json<Item>, Response> {
        lookup(code).map(Json).map_err(AppError::into_response)
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn any_error(Path(code): Path<u16>) -> axum::response::Result<Json<Item>> {
        Ok(Json(lookup(code)?))
    }
    fn lookup(code: u16) -> Result<Item, AppError> {
        match code {
            200 => Ok(Item { id: 7 }),
            404 => Err(AppError::NotFound),
            _ => Err(AppError::Down),
        }
    }
    let _guard = testing::fresh_state();
    // An `ErrorResponse` hides its status, so every error counts.
    let api = Router::new().route("/{code}", get(any_error));
    assert_eq!(statuses(&api, ["/404", "/404", "/200"]).await, [404, 404, 503]);
    for handler in
        [get(plain), get(opaque), get(opaque_result), get(result), get(response_as_error)]
    {
        let api = Router::new().route("/{code}", handler);
        let paths = ["/404", "/404", "/404", "/502", "/200", "/502", "/502", "/200"];
        assert_eq!(statuses(&api, paths).await, [404, 404, 404, 502, 200, 502, 502, 503]);
    }
}

#[tokio::test]
async fn a_body_with_returns_and_question_marks_is_a_response() {
    #[circuit_breaker(failure_threshold = 1)]
    #[timeout("5s")]
    async fn handler(Path(code): Path<u16>, headers: HeaderMap) -> impl IntoResponse {
        if code == 204 {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let text = headers.get("x-text").ok_or(AppError::NotFound)?;
        drop(headers.clone());
        Ok::<_, AppError>((status(code), text.to_str().unwrap_or("").to_owned()).into_response())
    }
    let api = Router::new().route("/{code}", get(handler));
    assert_eq!(statuses(&api, ["/204", "/200", "/200"]).await, [204, 404, 404]);
    let request = Request::get("/500").header("x-text", "hello").body(Body::empty());
    let response = api.clone().oneshot(request.expect("a request")).await.expect("infallible");
    assert_eq!(response.status(), 500);
    assert_eq!(statuses(&api, ["/204"]).await, [503]);
}

/// A method, a sync function, and a body that moves its arguments.
#[tokio::test]
async fn every_shape_of_a_handler_fits() {
    struct Api(Arc<CircuitBreaker>);
    impl Api {
        #[circuit_breaker(breaker = self.0)]
        fn sync(&self, code: u16, text: String) -> impl IntoResponse + use<> {
            let moved = text;
            if code == 0 {
                return Err(AppError::NotFound);
            }
            Ok((status(code), moved))
        }

        #[circuit_breaker(breaker = self.0)]
        #[bulkhead(max = 1)]
        async fn method(&mut self, code: u16, text: &mut String) -> impl IntoResponse + use<> {
            text.push('!');
            (status(code), text.clone())
        }
    }
    let mut api = Api(Arc::new(CircuitBreaker::new().failure_threshold(2)));
    assert_eq!(api.sync(0, String::new()).into_response().status(), 404);
    assert_eq!(api.sync(500, "down".into()).into_response().status(), 500);
    let mut text = "down".to_owned();
    assert_eq!(api.method(500, &mut text).await.into_response().status(), 500);
    assert_eq!((text.as_str(), api.0.state()), ("down!", CircuitState::Open));
    assert_eq!(api.sync(200, "up".into()).into_response().status(), 503);
}

#[tokio::test]
async fn a_rate_limit_rejects_with_429_and_a_time() {
    #[rate_limit(rate = 1, per = "1h")]
    async fn plain() -> Response {
        "hello".into_response()
    }
    #[rate_limit(rate = 1, per = "1h")]
    async fn opaque() -> impl IntoResponse {
        (StatusCode::CREATED, Json(Item { id: 7 }))
    }
    for (handler, first) in [(get(plain), 200), (get(opaque), 201)] {
        let api = Router::new().route("/", handler);
        assert_eq!(ask(&api, "/").await.0, first);
        let (status, headers, body) = ask(&api, "/").await;
        assert_eq!((status, body.contains("rate limit reached")), (429, true), "{body}");
        let seconds: u64 =
            headers[header::RETRY_AFTER].to_str().expect("text").parse().expect("a number");
        assert!((3600..=3605).contains(&seconds), "{seconds}");
    }
}

#[tokio::test]
async fn a_bulkhead_rejects_with_503() {
    static LIMIT: Bulkhead = Bulkhead::new(1);
    #[bulkhead(bulkhead = &LIMIT)]
    async fn plain() -> Response {
        "hello".into_response()
    }
    #[bulkhead(bulkhead = &LIMIT)]
    async fn opaque() -> impl IntoResponse {
        Json(Item { id: 7 })
    }
    for handler in [get(plain), get(opaque)] {
        let api = Router::new().route("/", handler);
        assert_eq!(ask(&api, "/").await.0, 200);
        let _permit = LIMIT.try_acquire().expect("a permit");
        assert_eq!(ask(&api, "/").await.0, 503);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_504() {
    #[timeout("2s")]
    async fn slow(Path(secs): Path<u64>) -> impl IntoResponse {
        tokio::time::sleep(Duration::from_secs(secs)).await;
        (StatusCode::OK, Json(Item { id: 7 }))
    }
    let api = Router::new().route("/{secs}", get(slow));
    assert_eq!(statuses(&api, ["/1", "/3"]).await, [200, 504]);
}

#[tokio::test]
async fn a_fallback_replaces_failures_by_status() {
    #[fallback(value = "cached".into_response())]
    async fn value(Path(code): Path<u16>) -> Response {
        status(code).into_response()
    }
    fn degraded(response: &Response) -> Response {
        [("x-origin", response.status().as_str().to_owned())].into_response()
    }
    #[fallback(with = |response: Response| degraded(&response))]
    async fn with(Path(code): Path<u16>) -> impl IntoResponse {
        (status(code), "answer")
    }
    let api = Router::new().route("/value/{code}", get(value)).route("/with/{code}", get(with));
    assert_eq!(statuses(&api, ["/value/503", "/value/404"]).await, [200, 404]);
    assert_eq!(ask(&api, "/value/500").await.2, "cached");
    let (code, headers, _) = ask(&api, "/with/503").await;
    assert_eq!((code, &headers["x-origin"]), (200, &"503".parse().expect("a value")));
    assert_eq!(ask(&api, "/with/404").await.2, "answer");
}

#[tokio::test]
async fn a_retry_repeats_a_handler() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[retry(attempts = 3)]
    async fn flaky() -> impl IntoResponse {
        let call = CALLS.fetch_add(1, Relaxed);
        if call < 2 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
    let _guard = testing::no_waits();
    assert_eq!(flaky().await.into_response().status(), 200);
    assert_eq!(CALLS.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn all_layers_fit_on_one_handler() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(2);
    static LIMITER: RateLimiter = RateLimiter::new(5, Duration::from_secs(3600)).burst(5);
    #[fallback(with = |failed: Response| (failed.status(), "degraded").into_response())]
    #[circuit_breaker(breaker = &BREAKER)]
    #[rate_limit(limiter = &LIMITER)]
    #[bulkhead(max = 4)]
    #[timeout("2s")]
    async fn handler(Path((code, secs)): Path<(u16, u64)>) -> impl IntoResponse {
        tokio::time::sleep(Duration::from_secs(secs)).await;
        (status(code), Json(Item { id: 7 }))
    }
    let api = Router::new().route("/{code}/{secs}", get(handler));
    assert_eq!(
        statuses(&api, ["/200/0", "/500/0", "/200/9", "/200/0"]).await,
        [200, 500, 504, 503]
    );
    assert_eq!(BREAKER.state(), CircuitState::Open);
    assert_eq!(ask(&api, "/200/0").await.2, "degraded");
    BREAKER.reset();
    // Two permits are left, and a rejection by the limit says nothing about the handler.
    assert_eq!(statuses(&api, ["/200/0", "/200/0"]).await, [200, 200]);
    assert_eq!(statuses(&api, ["/200/0", "/200/0", "/200/0"]).await, [429, 429, 429]);
    assert_eq!(BREAKER.state(), CircuitState::Closed);
}

#[tokio::test]
async fn a_rejection_inside_another_function_is_recognized() {
    static OUTER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    static INNER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[circuit_breaker(breaker = &INNER)]
    async fn inner() -> Response {
        StatusCode::OK.into_response()
    }
    #[circuit_breaker(breaker = &OUTER)]
    async fn outer() -> impl IntoResponse {
        inner().await
    }
    INNER.force_open();
    assert_eq!(outer().await.into_response().status(), 503);
    assert_eq!(OUTER.state(), CircuitState::Closed);
}

#[tokio::test]
async fn the_cause_of_an_open_circuit_is_the_status_without_headers() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    #[circuit_breaker(breaker = &BREAKER)]
    async fn handler() -> Response {
        (StatusCode::BAD_GATEWAY, [(header::SET_COOKIE, "session=secret")]).into_response()
    }
    handler().await;
    let rejected = BREAKER.try_acquire().expect_err("the circuit is open");
    assert_eq!(rejected.source().expect("a cause").to_string(), "502 Bad Gateway");
}

#[test]
fn a_response_has_the_class_of_its_status_and_extensions() {
    let class = |response: Response| response.classify();
    assert_eq!(class(status(500).into_response()), FailureClass::transient());
    assert_eq!(
        class(status(404).into_response()),
        FailureClass::permanent(),
        "the handler answered"
    );
    let moved = (status(404), [(header::RETRY_AFTER, "7")]).into_response();
    assert_eq!(class(moved), FailureClass::permanent());
    let busy = (status(503), [(header::RETRY_AFTER, "7")]).into_response();
    assert_eq!(class(busy), FailureClass::throttled(Some(Duration::from_secs(7))));
    for unreadable in ["+7", "-1", "1.5", "", "soon"] {
        let busy = (status(500), [(header::RETRY_AFTER, unreadable)]).into_response();
        assert_eq!(class(busy), FailureClass::transient(), "{unreadable:?}");
    }
    let declared = (status(503), Extension(Effect::NotSent)).into_response();
    assert_eq!(class(declared), FailureClass::transient().effect(Effect::NotSent));
    let rejected =
        Rejected::new(RejectedKind::RateLimited, "api", Some(Duration::from_millis(300)));
    assert_eq!(class(rejected.clone().into_response()), rejected.classify());
}
