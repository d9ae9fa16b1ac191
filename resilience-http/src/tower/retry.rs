//! `#[retry]` as a layer.

use core::fmt::{self, Display};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::sync::Arc;

use http::HeaderName;
use pin_project_lite::pin_project;
use resilience_core::__internal::{
    AttemptScope, Delay, LimitTimer, NamedAttempt, NestedAttempt, RetryState, Shown, Sleep,
    Spending, Timestamp, WaitMode, enter_attempt_of, in_nested_attempt, is_counting, named_attempt,
    now,
};
use resilience_core::{Backoff, FailureKind, PolicyKind, RetryPolicy, Schedule};
use tower_layer::Layer;
use tower_service::Service;

use super::handover;
use super::replay::{Replay, ReplayByClone, ReplayWith};
use super::request::HttpRequest;
use crate::classification::{Classifier, HttpError, HttpResponse};
use crate::client_key::IdempotencyKey;
use crate::key_headers::KeyHeaders;
use crate::ready_service::take_ready;
use crate::request_method::has_idempotent_method;

/// The name of a policy without a name.
const NAME: &str = PolicyKind::Retry.as_str();

/// Retries the calls of a service: `#[retry]` with [`classify`](crate::classify()) and
/// [`classify_response`](crate::classify_response()) as a layer.
///
/// - **Safety.** The layer reads the method and the idempotency key of the request and decides
///   whether a retry is safe. With a key, the layer also retries a 409.
/// - **Redirects.** `reqwest` follows redirects, and an outcome belongs to an unknown request of
///   the chain. A POST without a key is therefore not retried, even after a refused connection or a
///   429: a server may apply the POST and redirect to its own URL. For a client without redirects,
///   set [`Classifier::follows_redirects`] to `false`.
/// - **Outcome.** A failed response is dropped with the body before the delay. The last response
///   or error is returned unchanged. With a deadline, a failed response is kept until the next
///   attempt starts.
/// - **Body.** A request whose body cannot be sent again has a single attempt, and the log says
///   so.
/// - **Readiness.** Before each retry the layer waits until the service is ready. An error of
///   `poll_ready` ends the call. A [`deadline`](RetryPolicy::deadline) ends the wait, and the last
///   response or error is returned.
/// - **Rejections.** A rejection by an inner layer, such as
///   [`CircuitBreakerLayer`](crate::CircuitBreakerLayer), ends the call, unless the policy [waits
///   for rejections](RetryPolicy::wait_for_rejections). The calls that wait for a
///   [`RateLimitLayer`](crate::RateLimitLayer) or [`BulkheadLayer`](crate::BulkheadLayer) below are
///   served in the order of arrival, and the wait is no time of a
///   [`TimeoutLayer`](crate::TimeoutLayer) in between. A layer in between that calls the service in
///   another task, such as `buffer` of `tower`, hides the limit from the retry: the calls then wait
///   in the retry, without an order.
/// - **Open circuit.** A failure that opens the circuit of a layer below ends the call, and the
///   failure is returned: a further attempt would be rejected.
/// - **Delay before the first attempt.** An [`initial_delay`](RetryPolicy::initial_delay) passes
///   without a reservation of the service.
///
/// # Examples
///
/// ```
/// use core::{cell::Cell, convert::Infallible, future::ready};
/// use http::{Request, Response};
/// use resilience::{RetryPolicy, testing};
/// use resilience::http::RetryLayer;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let _guard = testing::no_waits();
/// let calls = Cell::new(0);
/// let flaky = service_fn(|_: Request<String>| {
///     calls.set(calls.get() + 1);
///     let status = if calls.get() < 3 { 503 } else { 200 };
///     ready(Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap()))
/// });
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::new().attempts(4)))
///     .service(flaky);
/// let request = Request::get("http://api.example/").body(String::new()).unwrap();
/// assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
/// assert_eq!(calls.get(), 3);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct RetryLayer<B = Schedule, C = ReplayByClone> {
    settings: Settings<B, C>,
}

/// The settings, shared by all calls of a service.
#[derive(Clone, Debug)]
struct Settings<B, C> {
    policy: RetryPolicy<B>,
    rules: Classifier,
    makes_keys: bool,
    key_headers: KeyHeaders,
    idempotent: bool,
    replay: C,
}

impl<B> RetryLayer<B> {
    /// Creates a layer with this policy.
    ///
    /// The layer ignores the [`idempotent`](RetryPolicy::idempotent) setting of the policy,
    /// because the request itself is known.
    pub const fn new(policy: RetryPolicy<B>) -> Self {
        let rules = Classifier::new();
        Self {
            settings: Settings {
                policy,
                rules,
                makes_keys: false,
                key_headers: KeyHeaders::new(),
                idempotent: false,
                replay: ReplayByClone,
            },
        }
    }
}

impl<B, C> RetryLayer<B, C> {
    /// Sets the classification of responses and errors. Default: [`Classifier::new`].
    pub fn classifier(mut self, rules: Classifier) -> Self {
        self.settings.rules = rules;
        self
    }

    /// Sets whether the layer adds an [`IdempotencyKey`] to a request with a method that is not
    /// idempotent. Default: `false`.
    ///
    /// The layer makes the key once for each call, before the first attempt, and every attempt
    /// sends the key. An existing key stays, unless the key is blank. Enable this setting only for
    /// servers with support for the header.
    pub fn idempotency_keys(mut self, keys: bool) -> Self {
        self.settings.makes_keys = keys;
        self
    }

    /// Sets the headers that can carry a key. Default: `Idempotency-Key` and `X-Idempotency-Key`,
    /// as in [`IdempotencyLayer`](crate::IdempotencyLayer).
    ///
    /// A request with one of these headers has a key, unless the value is blank. The layer adds its
    /// own keys under the first name.
    pub fn key_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.settings.key_headers = KeyHeaders::named(names);
        self
    }

    /// Sets whether every request may be applied twice, whatever the method. Default: `false`.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.settings.idempotent = idempotent;
        self
    }

    /// Sets a function that copies a body without `Clone`, or returns `None` for a body that
    /// cannot be sent again.
    ///
    /// For bodies of `axum`, this call retries requests with an empty body:
    /// `.replay(|body: &Body| body.is_end_stream().then(Body::empty))`.
    pub fn replay<Body, F: Fn(&Body) -> Option<Body>>(
        self,
        copy: F,
    ) -> RetryLayer<B, ReplayWith<F>> {
        let Settings { policy, rules, makes_keys, key_headers, idempotent, .. } = self.settings;
        let replay = ReplayWith(copy);
        let settings = Settings { policy, rules, makes_keys, key_headers, idempotent, replay };
        RetryLayer { settings }
    }
}

impl<S, B: Clone, C: Clone> Layer<S> for RetryLayer<B, C> {
    type Service = RetryService<S, B, C>;

    fn layer(&self, service: S) -> Self::Service {
        RetryService { service, settings: Arc::new(self.settings.clone()) }
    }
}

impl<B: Backoff, C> Settings<B, C> {
    /// Adds a key if needed, and starts the call.
    fn begin(&self, request: &mut impl HttpRequest) -> Call {
        let is_safe = has_idempotent_method(request.method(), request.headers());
        if self.makes_keys && !is_safe {
            self.key_headers.add((&IdempotencyKey::new()).into(), request.headers_mut());
        }
        let has_key = self.key_headers.hold_key(request.headers());
        let state = RetryState::begin(&self.policy);
        Call {
            state,
            scope: state.scope(&self.policy),
            spending: RetryState::spending(&self.policy),
            idempotent: is_safe || has_key || self.idempotent,
            rules: self.rules_of_call(has_key, request.may_be_redirected()),
        }
    }

    fn rules_of_call(&self, has_key: bool, may_redirect: bool) -> Classifier {
        let rules = if has_key { self.rules.keyed(true) } else { self.rules };
        if may_redirect { rules.expecting_redirects() } else { rules }
    }

    /// Returns the request of the attempt after the current attempt, if the policy allows a
    /// further attempt.
    fn request_for_retry<Request>(&self, call: &Call, request: &Request) -> Option<Request>
    where
        C: Replay<Request>,
    {
        if call.is_last(&self.policy) { None } else { self.replay.replay(request) }
    }
}

/// A service under a [`RetryLayer`].
#[derive(Debug)]
pub struct RetryService<S, B = Schedule, C = ReplayByClone> {
    service: S,
    settings: Arc<Settings<B, C>>,
}

impl<S: Clone, B, C> Clone for RetryService<S, B, C> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S, Request, B, C> Service<Request> for RetryService<S, B, C>
where
    S: Service<Request, Response: HttpResponse, Error: HttpError + Display> + Clone,
    Request: HttpRequest,
    B: Backoff,
    C: Replay<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RetryFuture<S, Request, B, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut call = self.settings.begin(&mut request);
        let service = take_ready(&mut self.service);
        let settings = Arc::clone(&self.settings);
        match call.state.initial_delay(&settings.policy) {
            // A clone holds no reservation of the service during the delay.
            Some(delay) => RetryFuture::delay(settings, service.clone(), call, request, delay),
            None => RetryFuture::start(settings, service, call, request),
        }
    }
}

/// The progress of one call.
#[derive(Debug)]
struct Call {
    state: RetryState,
    scope: AttemptScope,
    spending: Spending<'static>,
    idempotent: bool,
    rules: Classifier,
}

impl Call {
    /// Sends the request of an attempt, in the scope of the attempt.
    fn send<S: Service<Request>, Request, B: Backoff>(
        &mut self,
        policy: &RetryPolicy<B>,
        service: &mut S,
        request: Request,
    ) -> NestedAttempt<NamedAttempt, S::Future> {
        let (bound, setter) = (self.state.bound(policy), policy.setter(NAME));
        let attempt = self.state.attempt_number();
        let attempt = named_attempt(bound, setter, attempt);
        let nested = enter_attempt_of(&attempt);
        let future = self.scope.enter(|| handover::repeatedly(|| service.call(request)));
        drop(nested);
        in_nested_attempt(attempt, future)
    }

    /// Returns whether the policy allows no attempt after the current attempt. A rejection that is
    /// waited for is no attempt.
    fn is_last<B: Backoff>(&self, policy: &RetryPolicy<B>) -> bool {
        self.state.attempt(policy).is_last() && RetryState::patience(policy) == 0
    }

    /// Returns the delay before the next attempt, or `None` if `out` is final.
    ///
    /// `is_replayable` says whether there is a request for the next attempt.
    fn next_delay<R: HttpResponse, E: HttpError + Display, B: Backoff>(
        &mut self,
        policy: &RetryPolicy<B>,
        out: &Result<R, E>,
        is_replayable: bool,
    ) -> Option<Delay> {
        let rules = &self.rules;
        let status;
        let (class, shown) = match out {
            Ok(response) => {
                let class = rules.response(response);
                if class.kind == FailureKind::Permanent {
                    if self.state.reports_success() {
                        self.state.recovered(&policy.borrowed().at(NAME, WaitMode::Async));
                    }
                    self.spending.succeeded();
                    if is_counting() {
                        self.state.count_success(policy);
                    }
                    return None;
                }
                status = response.status();
                (class, Shown::Display(&status))
            }
            Err(error) => (rules.error(error), Shown::Display(error)),
        };
        let policy = policy.borrowed().at(NAME, WaitMode::Async);
        let policy = policy.idempotent(self.idempotent).replayable(is_replayable);
        let signal = self.scope.signal();
        self.state.next(&policy, Some(&self.spending), class, signal.as_ref(), shown)
    }
}

pin_project! {
    /// The future of a [`RetryService`].
    #[must_use]
    pub struct RetryFuture<S: Service<Request>, Request, B, C> {
        settings: Arc<Settings<B, C>>,
        service: S,
        call: Call,
        // The request of the next attempt.
        request: Option<Request>,
        #[pin]
        step: Step<NestedAttempt<NamedAttempt, S::Future>, Result<S::Response, S::Error>>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F, O> {
        Called { #[pin] future: F },
        Waiting { #[pin] wait: Sleep, retained: Option<Retained<O>> },
        AwaitingReadiness {
            #[pin]
            timer: Option<LimitTimer>,
            retained: Option<Retained<O>>,
        },
    }
}

/// The last outcome of a call with a deadline. If the service is not ready before the deadline,
/// there is no other outcome to return.
#[derive(Debug)]
struct Retained<O> {
    deadline: Timestamp,
    out: O,
}

impl<S: Service<Request>, Request, B: Backoff, C: Replay<Request>> RetryFuture<S, Request, B, C> {
    /// Starts the first attempt. The service is ready.
    fn start(
        settings: Arc<Settings<B, C>>,
        mut service: S,
        mut call: Call,
        request: Request,
    ) -> Self {
        let request_for_retry = settings.request_for_retry(&call, &request);
        let future = call.send(&settings.policy, &mut service, request);
        let step = Step::Called { future };
        Self { settings, service, call, request: request_for_retry, step }
    }

    /// Starts the delay before the first attempt.
    fn delay(
        settings: Arc<Settings<B, C>>,
        service: S,
        call: Call,
        request: Request,
        delay: Delay,
    ) -> Self {
        let step = Step::Waiting { wait: delay.wait(), retained: None };
        Self { settings, service, call, request: Some(request), step }
    }
}

impl<S, Request, B, C> Future for RetryFuture<S, Request, B, C>
where
    S: Service<Request, Response: HttpResponse, Error: HttpError + Display>,
    Request: HttpRequest,
    B: Backoff,
    C: Replay<Request>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProjection::Called { future } => {
                    let out = ready!(this.call.scope.enter(|| future.poll(cx)));
                    let policy = &this.settings.policy;
                    let delay = this.call.next_delay(policy, &out, this.request.is_some());
                    let Some(delay) = delay else { return Poll::Ready(out) };
                    // Without a deadline the failed response is dropped before the delay.
                    let deadline = this.call.state.bound(&this.settings.policy);
                    let retained = deadline.map(|deadline| Retained { deadline, out });
                    this.step.set(Step::Waiting { wait: delay.wait(), retained });
                }
                StepProjection::Waiting { wait, retained } => {
                    ready!(wait.poll(cx));
                    let retained = retained.take();
                    let deadline = retained.as_ref().map(|retained| retained.deadline);
                    let timer = deadline.map(|end| LimitTimer::start(Duration::MAX, Some(end)));
                    this.step.set(Step::AwaitingReadiness { timer, retained });
                }
                StepProjection::AwaitingReadiness { timer, retained } => {
                    match this.service.poll_ready(cx)? {
                        // No attempt starts at the deadline or later.
                        Poll::Ready(()) => {
                            if let Some(late) = retained.take_if(|it| it.deadline <= now()) {
                                return Poll::Ready(late.out);
                            }
                        }
                        Poll::Pending => {
                            let Some(timer) = timer.as_pin_mut() else { return Poll::Pending };
                            ready!(timer.poll(cx));
                            let Some(late) = retained.take() else { return Poll::Pending };
                            return Poll::Ready(late.out);
                        }
                    }
                    // The request is absent only if the future is polled after completion.
                    let Some(request) = this.request.take() else { return Poll::Pending };
                    *this.request = this.settings.request_for_retry(this.call, &request);
                    this.call.spending.retrying();
                    let future = this.call.send(&this.settings.policy, this.service, request);
                    this.step.set(Step::Called { future });
                }
            }
        }
    }
}

impl<S: Service<Request>, Request, B, C> fmt::Debug for RetryFuture<S, Request, B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
