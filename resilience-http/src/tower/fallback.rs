//! `#[fallback]` as a layer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use resilience_core::__internal::{
    Level, Shown, Site, fallback_site, fell_back, keep_outcome, replaced,
};
use resilience_core::{Effect, FailureClass, PolicyKind};
use tower_layer::Layer;
use tower_service::Service;

use crate::classification::{Classifier, HttpResponse};

/// Replaces a failed outcome: `#[fallback]` as a layer, for any service.
///
/// The function receives the failed outcome by value, and returns a future of the replacement: a
/// response, or an error. A function that cannot help returns the outcome. The function runs
/// once, and its result is not replaced again.
///
/// By default every error is replaced, including the rejection of an inner layer, and no response.
/// With a [`classifier`](Self::classifier), a retryable response such as a 503 is replaced too. An
/// error of `poll_ready` belongs to no call and is returned unchanged.
///
/// Place the layer on top: a layer above would see no failures.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, future::ready};
/// use http::{Request, Response};
/// use resilience::http::{Classifier, FallbackLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cached = |_failed| ready(Ok::<_, Infallible>(Response::new("from the cache")));
/// let service = ServiceBuilder::new()
///     .layer(FallbackLayer::new(cached).classifier(Classifier::new()))
///     .service(service_fn(|_: Request<()>| {
///         let response = Response::builder().status(503).body("busy").unwrap();
///         ready(Ok::<_, Infallible>(response))
///     }));
/// let response = service.oneshot(Request::new(())).await.unwrap();
/// assert_eq!(response.into_body(), "from the cache");
/// # }
/// ```
#[derive(Clone, Copy)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct FallbackLayer<W, C = ()> {
    with: W,
    responses: C,
    site: Site,
}

impl<W> FallbackLayer<W> {
    /// Creates a layer that replaces errors by the result of `with`: a function from the failed
    /// `Result` of the service to a future of another `Result`.
    #[track_caller]
    pub const fn new(with: W) -> Self {
        Self { with, responses: (), site: fallback_site(PolicyKind::Fallback.as_str(), 0) }
    }

    /// Replaces responses as well: every response that these rules call transient or throttled.
    pub fn classifier(self, rules: Classifier) -> FallbackLayer<W, Classifier> {
        FallbackLayer { with: self.with, responses: rules, site: self.site }
    }
}

impl<W, C> FallbackLayer<W, C> {
    /// Sets the name in events. Default: `"fallback"`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.site.name = name;
        self
    }
}

impl<W, C> fmt::Debug for FallbackLayer<W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackLayer").field("name", &self.site.name).finish_non_exhaustive()
    }
}

/// Decides which responses a [`FallbackLayer`] replaces: none for `()`, or the failures of a
/// [`Classifier`].
pub trait ResponseFilter<R> {
    /// Returns the class of a response. A permanent class is not replaced.
    fn class(&self, response: &R) -> FailureClass;
}

impl<R> ResponseFilter<R> for () {
    fn class(&self, _: &R) -> FailureClass {
        FailureClass::permanent()
    }
}

impl<R: HttpResponse> ResponseFilter<R> for Classifier {
    fn class(&self, response: &R) -> FailureClass {
        self.response(response)
    }
}

impl<S, W: Clone, C: Clone> Layer<S> for FallbackLayer<W, C> {
    type Service = FallbackService<S, W, C>;

    fn layer(&self, service: S) -> Self::Service {
        FallbackService { service, settings: self.clone() }
    }
}

/// A service under a [`FallbackLayer`].
#[derive(Clone, Debug)]
pub struct FallbackService<S, W, C = ()> {
    service: S,
    settings: FallbackLayer<W, C>,
}

impl<S, Request, W, C, A> Service<Request> for FallbackService<S, W, C>
where
    S: Service<Request>,
    W: Fn(Result<S::Response, S::Error>) -> A + Clone,
    A: Future<Output = Result<S::Response, S::Error>>,
    C: ResponseFilter<S::Response> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FallbackFuture<S::Future, W, C, A>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let future = self.service.call(request);
        FallbackFuture { settings: self.settings.clone(), step: Step::Called { future } }
    }
}

pin_project! {
    /// The future of a [`FallbackService`].
    #[must_use]
    pub struct FallbackFuture<F, W, C, A> {
        settings: FallbackLayer<W, C>,
        #[pin]
        step: Step<F, A>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F, A> {
        Called { #[pin] future: F },
        Replacing { #[pin] replacement: A, effect: Effect },
    }
}

impl<F, W, C, A, R, E> Future for FallbackFuture<F, W, C, A>
where
    F: Future<Output = Result<R, E>>,
    W: Fn(Result<R, E>) -> A,
    A: Future<Output = Result<R, E>>,
    C: ResponseFilter<R>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProjection::Called { future } => {
                    let out = ready!(future.poll(cx));
                    let Some(effect) = this.settings.replaces(&out) else {
                        return Poll::Ready(out);
                    };
                    let replacement = (this.settings.with)(out);
                    this.step.set(Step::Replacing { replacement, effect });
                }
                StepProjection::Replacing { replacement, effect } => {
                    return replacement.poll(cx).map(|out| replaced(out, *effect));
                }
            }
        }
    }
}

impl<W, C> FallbackLayer<W, C> {
    /// Returns the effect of a call whose outcome is replaced, and logs the replacement.
    fn replaces<R, E>(&self, out: &Result<R, E>) -> Option<Effect>
    where
        C: ResponseFilter<R>,
    {
        let class = match out {
            Ok(response) => self.responses.class(response),
            Err(_) => FailureClass::transient(),
        };
        // Only the class matters, and the function receives the outcome itself.
        let outcome = out.as_ref().map(|_| ()).map_err(|_| ());
        let report = |site: &Site, error: Option<&()>, class, age| {
            fell_back(site, error, class, age, class, Shown::Nothing, Level::Info, |_| {})
        };
        keep_outcome(outcome, &self.site, |()| class, |()| class, report).err()
    }
}

impl<F, W, C, A> fmt::Debug for FallbackFuture<F, W, C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackFuture").field("settings", &self.settings).finish_non_exhaustive()
    }
}
