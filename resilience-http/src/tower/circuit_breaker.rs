//! `#[circuit_breaker]` as a layer.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use resilience_core::__internal::{DetachedGuard, KeyLabel, Keyed, KeyedPolicy};
use resilience_core::{
    CircuitBreaker, CircuitGuard, CircuitState, FailureClass, FailureKind, register,
};
use tower_layer::Layer;

use super::gated_service::{Entry, Gate, GatedService, Permit};
use super::request::HttpRequest;
use super::{PolicyRef, readiness_watch};
use crate::classification::{Classifier, HttpError, HttpResponse};
use crate::host_cooldown::normalize_host;

/// Rejects calls while the service fails: `#[circuit_breaker]` as a layer.
///
/// - A retryable response, such as a 503 or a 429, counts as a failure.
/// - Any other response, such as a 404, counts as a success.
/// - A transient or throttled error counts as a failure, and so does an error of an unknown type;
///   see [`unknown_errors`](Self::unknown_errors). An error of `poll_ready` counts like an error of
///   a call.
/// - A known permanent error is an answer and counts as a success, unless the request was not sent.
/// - A rejection by an inner layer, including `load_shed` of `tower`, does not count.
/// - A panic of the service counts as a failure, also if an outer layer catches the panic.
///
/// The error of a rejected call is a boxed [`Rejected`](resilience_core::Rejected), and the
/// service does not see the request.
///
/// While the circuit is closed, the layer is ready when the service is ready. Otherwise the layer
/// is ready at once, so a rejection does not wait for the service, and a rejected call gives back
/// a reservation made by `poll_ready`. A trial call waits for the service inside its future. With
/// [`per_host`](Self::per_host), calls to all hosts wait inside their futures while the circuit of
/// any host is open.
///
/// The service must be `Clone`: a clone gives a reservation back.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, future::ready};
/// use http::{Request, Response};
/// use resilience::{CircuitBreaker, Rejected};
/// use resilience::http::CircuitBreakerLayer;
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
///
/// let mut service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::new(&BREAKER))
///     .service(service_fn(|_: Request<()>| {
///         let response = Response::builder().status(503).body(()).unwrap();
///         ready(Ok::<_, Infallible>(response))
///     }));
/// assert_eq!(service.ready().await?.call(Request::new(())).await?.status(), 503);
/// let error = service.ready().await?.call(Request::new(())).await.unwrap_err();
/// assert!(error.is::<Rejected>());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct CircuitBreakerLayer {
    breakers: Breakers,
    rules: Classifier,
    unknown: FailureClass,
}

#[derive(Clone, Debug)]
enum Breakers {
    One(PolicyRef<CircuitBreaker>),
    PerHost(Arc<Hosts>),
}

impl CircuitBreakerLayer {
    /// Creates a layer with one breaker for all calls.
    pub const fn new(breaker: &'static CircuitBreaker) -> Self {
        Self::of(Breakers::One(PolicyRef::Static(breaker)))
    }

    /// Creates a layer with one breaker that is not `static`.
    pub const fn shared(breaker: Arc<CircuitBreaker>) -> Self {
        Self::of(Breakers::One(PolicyRef::Shared(breaker)))
    }

    /// Creates a layer with a breaker for each host and port, made by `make`.
    ///
    /// At most `max_hosts` breakers exist at the same time. Idle breakers are evicted first, open
    /// breakers never. The host is the [key](resilience_core::Rejected::key) of a rejection, and of
    /// the event of a state change.
    #[track_caller]
    pub fn per_host(max_hosts: u32, make: fn() -> CircuitBreaker) -> Self {
        Self::of(Breakers::PerHost(Arc::new(Hosts::new(max_hosts, make))))
    }

    const fn of(breakers: Breakers) -> Self {
        Self { breakers, rules: Classifier::new(), unknown: FailureClass::transient() }
    }

    /// Sets the classification of responses and errors. Default: [`Classifier::new`].
    pub const fn classifier(mut self, rules: Classifier) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the class of an error of a type that the classifier does not know. Default:
    /// [`FailureClass::transient`], a failure, as every error is for `#[circuit_breaker]`.
    ///
    /// With [`FailureClass::permanent`] only known failures open the circuit.
    ///
    /// ```
    /// use resilience::{CircuitBreaker, FailureClass};
    /// use resilience::http::CircuitBreakerLayer;
    ///
    /// static BREAKER: CircuitBreaker = CircuitBreaker::new();
    /// let layer = CircuitBreakerLayer::new(&BREAKER).unknown_errors(FailureClass::permanent());
    /// # let _ = layer;
    /// ```
    pub const fn unknown_errors(mut self, class: FailureClass) -> Self {
        self.unknown = class;
        self
    }

    fn admit(&self, breaker: PolicyRef<CircuitBreaker>) -> Entry<CallPermit> {
        let hosts = match &self.breakers {
            Breakers::One(_) => None,
            Breakers::PerHost(hosts) => Some(Arc::clone(hosts)),
        };
        CallPermit { breaker, guard: None, rules: self.rules, unknown: self.unknown, hosts }.admit()
    }
}

impl<S> Layer<S> for CircuitBreakerLayer {
    type Service = CircuitBreakerService<S>;

    fn layer(&self, service: S) -> Self::Service {
        match &self.breakers {
            Breakers::One(breaker) => breaker.register(),
            Breakers::PerHost(hosts) => register(&hosts.breakers),
        }
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`CircuitBreakerLayer`].
pub type CircuitBreakerService<S> = GatedService<S, CircuitBreakerLayer>;

impl<Request, R, E> Gate<Request, R, E> for CircuitBreakerLayer
where
    Request: HttpRequest,
    R: HttpResponse,
    E: HttpError,
{
    type Permit = CallPermit;

    fn enter(&self, request: &Request) -> Entry<CallPermit> {
        self.admit(match &self.breakers {
            Breakers::One(breaker) => breaker.clone(),
            Breakers::PerHost(hosts) => PolicyRef::Shared(hosts.breaker(request.host())),
        })
    }

    fn is_clear(&self) -> bool {
        match &self.breakers {
            Breakers::One(breaker) => {
                matches!(breaker.state(), CircuitState::Closed | CircuitState::Disabled)
            }
            Breakers::PerHost(hosts) => hosts.are_closed(),
        }
    }

    /// With a breaker per host, the host is unknown here, and the error does not count.
    fn observe_unready(&self, out: Result<R, E>) -> Result<R, E> {
        let Breakers::One(breaker) = &self.breakers else { return out };
        match self.admit(breaker.clone()) {
            Entry::Admitted(permit) => permit.finish(out),
            Entry::Waiting(_) | Entry::Rejected(_) => out,
        }
    }
}

/// The permit of a breaker for one call. A dropped permit counts as a cancelled call.
#[derive(Debug)]
pub struct CallPermit {
    breaker: PolicyRef<CircuitBreaker>,
    guard: Option<DetachedGuard>,
    rules: Classifier,
    unknown: FailureClass,
    hosts: Option<Arc<Hosts>>,
}

impl CallPermit {
    /// Asks the breaker. The new admission replaces an earlier one.
    fn admit(mut self) -> Entry<Self> {
        if let Some(guard) = self.guard() {
            guard.ignore();
        }
        match self.breaker.try_acquire().map(CircuitGuard::detach) {
            Ok(guard) => {
                self.guard = Some(guard);
                Entry::Admitted(self)
            }
            Err(rejected) => {
                self.spread_opening();
                Entry::Rejected(rejected)
            }
        }
    }

    fn guard(&mut self) -> Option<CircuitGuard<'_>> {
        self.guard.take().map(|guard| self.breaker.attach(guard))
    }

    /// Wakes the calls that wait for the service, if the circuit is not closed.
    fn spread_opening(&self) {
        if self.breaker.state() == CircuitState::Closed {
            return;
        }
        if let (Some(hosts), PolicyRef::Shared(breaker)) = (&self.hosts, &self.breaker) {
            hosts.note_open(breaker);
        }
        readiness_watch::wake_all();
    }
}

impl<R: HttpResponse, E: HttpError> Permit<R, E> for CallPermit {
    fn is_revoked(&self) -> bool {
        matches!(self.breaker.state(), CircuitState::Open | CircuitState::ForcedOpen)
    }

    fn renew(self) -> Entry<Self> {
        self.admit()
    }

    fn finish(mut self, out: Result<R, E>) -> Result<R, E> {
        let (rules, unknown) = (self.rules, self.unknown);
        let Some(guard) = self.guard() else { return out };
        let out = match out {
            Ok(response) if rules.response(&response).kind == FailureKind::Permanent => {
                guard.success();
                return Ok(response);
            }
            Ok(response) => {
                guard.failure();
                Ok(response)
            }
            Err(_) => {
                let class = |error: &E| rules.known_error(error).unwrap_or(unknown);
                guard.record_error(out, class, |_| None, None).0
            }
        };
        self.spread_opening();
        out
    }

    /// Calls of the same breaker inside a trial call are a part of the trial call.
    fn within<T>(&self, run: impl FnOnce() -> T) -> T {
        match &self.guard {
            Some(guard) => guard.within(&self.breaker, run),
            None => run(),
        }
    }

    fn panicked(mut self) {
        if let Some(guard) = self.guard() {
            guard.failure();
        }
        self.spread_opening();
    }
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        drop(self.guard());
    }
}

/// A breaker per host.
#[derive(Debug)]
struct Hosts {
    breakers: Arc<Keyed<CircuitBreaker>>,
    /// The breakers that were seen open. Weak, because a breaker in use is never evicted.
    open: Mutex<Vec<Weak<CircuitBreaker>>>,
    /// Whether `open` has entries. `false` spares most calls the lock.
    has_open: AtomicBool,
}

impl Hosts {
    #[track_caller]
    fn new(max_hosts: u32, make: fn() -> CircuitBreaker) -> Self {
        let breakers = Arc::new(Keyed::new(max_hosts, make));
        Self { breakers, open: Mutex::new(Vec::new()), has_open: AtomicBool::new(false) }
    }

    /// Returns the breaker of a host. The host is the label of the key in rejections and events.
    fn breaker(&self, host: &str) -> Arc<CircuitBreaker> {
        let host = normalize_host(host);
        let labeled = |breaker: CircuitBreaker| breaker.with_key_label(KeyLabel::new(&host));
        self.breakers.get_with(&*host, labeled)
    }

    fn note_open(&self, breaker: &Arc<CircuitBreaker>) {
        let breaker = Arc::downgrade(breaker);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.iter().any(|known| known.ptr_eq(&breaker)) {
            open.push(breaker);
        }
        self.has_open.store(true, Ordering::SeqCst);
    }

    /// Returns whether no circuit rejects calls.
    fn are_closed(&self) -> bool {
        if !self.has_open.load(Ordering::SeqCst) {
            return true;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Each entry is removed once, so the cost is constant on average.
        while let Some(last) = open.last() {
            if last.upgrade().is_some_and(|breaker| rejects(&breaker)) {
                return false;
            }
            open.pop();
        }
        self.has_open.store(false, Ordering::SeqCst);
        true
    }
}

/// Returns whether a breaker rejects calls. An open circuit whose open time is over admits the next
/// call, and may belong to a host that is never called again.
fn rejects(breaker: &CircuitBreaker) -> bool {
    let snapshot = breaker.snapshot();
    match snapshot.state {
        CircuitState::Closed | CircuitState::Disabled => false,
        CircuitState::Open => snapshot.open_for != Some(Duration::ZERO),
        _ => true,
    }
}
