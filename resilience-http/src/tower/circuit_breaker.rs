//! `#[circuit_breaker]` as a layer.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use resilience_core::__internal::{DefinedBreaker, DetachedGuard};
use resilience_core::{
    CircuitBreaker, CircuitGuard, CircuitState, FailureClass, FailureKind, KeyCircuitBreaker,
    Keyed, register,
};
use tower_layer::Layer;

use super::gated_service::{Entry, Gate, GatedService, Permit};
use super::policy_source::{OnePolicy, PolicyByRequest, PolicyFor, PolicyRef, PolicySource};
use super::readiness_watch::{self, Watched};
use super::request::HttpRequest;
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
pub struct CircuitBreakerLayer<P = OnePolicy<CircuitBreaker>> {
    breakers: P,
    /// The open circuits of hosts.
    open: Option<Arc<OpenCircuits>>,
    rules: Classifier,
    unknown: FailureClass,
}

/// A breaker for each host.
#[derive(Clone, Debug)]
pub struct BreakersByHost(Arc<Keyed<CircuitBreaker>>);

impl PolicySource for BreakersByHost {
    type Policy = KeyCircuitBreaker;

    fn register(&self) {
        register(&self.0);
    }
}

impl<Request: HttpRequest> PolicyFor<Request> for BreakersByHost {
    fn policy(&self, request: &Request) -> PolicyRef<KeyCircuitBreaker> {
        // The host is the label of the key in rejections and events.
        let host = normalize_host(request.host());
        let labeled = |breaker: CircuitBreaker| breaker.key_label(&host);
        PolicyRef::Shared(self.0.get_with(&*host, labeled))
    }
}

impl CircuitBreakerLayer {
    /// Creates a layer with one breaker for all calls.
    pub const fn new(breaker: &'static CircuitBreaker) -> Self {
        Self::of(OnePolicy(PolicyRef::Static(breaker)), None)
    }

    /// Creates a layer with a breaker for each host and port, made by `make`.
    ///
    /// At most `max_hosts` breakers exist at the same time. Idle breakers are evicted first, open
    /// breakers never. The host is the [key](resilience_core::Rejected::key) of a rejection, and of
    /// the event of a state change.
    #[track_caller]
    pub fn per_host(
        max_hosts: u32,
        make: fn() -> CircuitBreaker,
    ) -> CircuitBreakerLayer<BreakersByHost> {
        let hosts = Arc::new(Keyed::new(max_hosts, make));
        CircuitBreakerLayer::of(BreakersByHost(hosts), Some(Arc::default()))
    }

    /// Creates a layer with a breaker for each request: for each host, tenant or shard.
    ///
    /// `choose` returns the breaker, as a rule of a [`Keyed`] table by a key from the request.
    /// Functions with `breaker = BREAKERS.get(key)` share the breakers, and
    /// [`get_with`](Keyed::get_with) sets a threshold or a label for the key.
    ///
    /// `poll_ready` does not know the request. The layer is therefore ready at once, and an
    /// admitted call waits for the service inside its future.
    ///
    /// ```
    /// use http::Request;
    /// use resilience::{CircuitBreaker, Keyed, circuit_breaker};
    /// use resilience::http::CircuitBreakerLayer;
    /// use std::io;
    ///
    /// static BREAKERS: Keyed<CircuitBreaker> =
    ///     Keyed::new(1000, || CircuitBreaker::new().failure_threshold(5).name("hosts"));
    ///
    /// #[circuit_breaker(breaker = BREAKERS.get(host))]
    /// fn resolve(host: &str) -> io::Result<()> {
    ///     Ok(())
    /// }
    ///
    /// let layer = CircuitBreakerLayer::keyed(|request: &Request<()>| {
    ///     let host = request.uri().host().unwrap_or_default();
    ///     BREAKERS.get_with(host, |breaker| breaker.key_label(host))
    /// });
    /// # let _ = layer;
    /// ```
    pub fn keyed<Request, F, D>(
        choose: F,
    ) -> CircuitBreakerLayer<PolicyByRequest<CircuitBreaker<D>, F>>
    where
        F: Fn(&Request) -> Arc<CircuitBreaker<D>>,
        D: DefinedBreaker,
    {
        CircuitBreakerLayer::of(PolicyByRequest::new(choose), None)
    }
}

impl<D: DefinedBreaker> CircuitBreakerLayer<OnePolicy<CircuitBreaker<D>>> {
    /// Creates a layer with one breaker that is not `static`, also for the breaker of a key in a
    /// [`Keyed`] table.
    pub const fn shared(breaker: Arc<CircuitBreaker<D>>) -> Self {
        Self::of(OnePolicy(PolicyRef::Shared(breaker)), None)
    }
}

impl<P> CircuitBreakerLayer<P> {
    const fn of(breakers: P, open: Option<Arc<OpenCircuits>>) -> Self {
        let unknown = FailureClass::transient();
        Self { breakers, open, rules: Classifier::new(), unknown }
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

    fn admit<D: DefinedBreaker>(
        &self,
        breaker: PolicyRef<CircuitBreaker<D>>,
    ) -> Entry<CallPermit<D>> {
        let (rules, unknown, open) = (self.rules, self.unknown, self.open.clone());
        CallPermit { breaker, guard: None, rules, unknown, open }.admit()
    }
}

impl<S, P: PolicySource> Layer<S> for CircuitBreakerLayer<P> {
    type Service = CircuitBreakerService<S, P>;

    fn layer(&self, service: S) -> Self::Service {
        self.breakers.register();
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`CircuitBreakerLayer`].
pub type CircuitBreakerService<S, P = OnePolicy<CircuitBreaker>> =
    GatedService<S, CircuitBreakerLayer<P>>;

impl<Request, R, E, P, D> Gate<Request, R, E> for CircuitBreakerLayer<P>
where
    P: PolicyFor<Request, Policy = CircuitBreaker<D>>,
    D: DefinedBreaker + 'static,
    R: HttpResponse,
    E: HttpError,
{
    type Permit = CallPermit<D>;

    fn enter(&self, request: &Request) -> Entry<CallPermit<D>> {
        self.admit(self.breakers.policy(request))
    }

    fn is_clear(&self) -> bool {
        match (self.breakers.single(), &self.open) {
            (Some(breaker), _) => {
                matches!(breaker.state(), CircuitState::Closed | CircuitState::Disabled)
            }
            (None, Some(open)) => open.is_empty(),
            (None, None) => false,
        }
    }

    fn watched(&self) -> Option<Watched> {
        match (self.breakers.single(), &self.open) {
            (Some(breaker), _) => Some(Watched::new(&**breaker)),
            (None, open) => open.as_deref().map(Watched::new),
        }
    }

    /// If the breaker depends on the request, the breaker is unknown here, and the error does not
    /// count.
    fn observe_unready(&self, out: Result<R, E>) -> Result<R, E> {
        let Some(breaker) = self.breakers.single() else { return out };
        match self.admit(breaker.clone()) {
            Entry::Admitted(permit) => permit.finish(out),
            Entry::Waiting(_) | Entry::Rejected(_) => out,
        }
    }

    /// As for an error, the breaker of a request is unknown here.
    fn panicked_unready(&self) {
        let Some(breaker) = self.breakers.single() else { return };
        if let Entry::Admitted(permit) = self.admit(breaker.clone()) {
            Permit::<R, E>::panicked(permit);
        }
    }
}

/// The permit of a breaker for one call. A dropped permit counts as a cancelled call.
#[derive(Debug)]
pub struct CallPermit<D: DefinedBreaker + 'static> {
    breaker: PolicyRef<CircuitBreaker<D>>,
    guard: Option<DetachedGuard>,
    rules: Classifier,
    unknown: FailureClass,
    open: Option<Arc<OpenCircuits>>,
}

impl<D: DefinedBreaker> CallPermit<D> {
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

    fn guard(&mut self) -> Option<CircuitGuard<'_, D>> {
        self.guard.take().map(|guard| self.breaker.attach(guard))
    }

    /// Wakes the calls that wait for the service, if the circuit is not closed.
    fn spread_opening(&self) {
        if self.breaker.state() == CircuitState::Closed {
            return;
        }
        if let (Some(open), PolicyRef::Shared(breaker)) = (&self.open, &self.breaker) {
            open.note(breaker);
            readiness_watch::wake(Watched::new(&**open));
        }
        readiness_watch::wake(Watched::new(&*self.breaker));
    }
}

impl<R: HttpResponse, E: HttpError, D: DefinedBreaker> Permit<R, E> for CallPermit<D> {
    fn is_revoked(&self) -> bool {
        matches!(self.breaker.state(), CircuitState::Open | CircuitState::ForcedOpen)
    }

    fn watched(&self) -> Option<Watched> {
        Some(Watched::new(&*self.breaker))
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

impl<D: DefinedBreaker> Drop for CallPermit<D> {
    fn drop(&mut self) {
        drop(self.guard());
    }
}

/// The open circuits among the breakers of the hosts.
#[derive(Debug, Default)]
struct OpenCircuits {
    /// The breakers that were seen open. Weak, because a breaker in use is never evicted. A map,
    /// because each rejected call looks for its breaker.
    seen: Mutex<BTreeMap<Watched, Weak<dyn Circuit>>>,
    /// Whether `seen` has entries. `false` spares most calls the lock.
    has_seen: AtomicBool,
}

impl OpenCircuits {
    fn note<C: Circuit + 'static>(&self, breaker: &Arc<C>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let weak = || Arc::<C>::downgrade(breaker) as Weak<dyn Circuit>;
        seen.entry(Watched::new(&**breaker)).or_insert_with(weak);
        self.has_seen.store(true, Ordering::SeqCst);
    }

    /// Returns whether no circuit rejects calls.
    fn is_empty(&self) -> bool {
        if !self.has_seen.load(Ordering::SeqCst) {
            return true;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Each entry is removed once, so the cost is constant on average.
        while let Some(last) = seen.last_entry() {
            if last.get().upgrade().is_some_and(|breaker| breaker.rejects()) {
                return false;
            }
            last.remove();
        }
        self.has_seen.store(false, Ordering::SeqCst);
        true
    }
}

/// A breaker with its settings in any place.
trait Circuit: fmt::Debug + Send + Sync {
    /// Returns whether the breaker rejects calls. An open circuit whose open time is over admits
    /// the next call, and may belong to a host that is never called again.
    fn rejects(&self) -> bool;
}

impl<D: DefinedBreaker> Circuit for CircuitBreaker<D> {
    fn rejects(&self) -> bool {
        let snapshot = self.snapshot();
        match snapshot.state {
            CircuitState::Closed | CircuitState::Disabled => false,
            CircuitState::Open => snapshot.open_for != Some(Duration::ZERO),
            _ => true,
        }
    }
}
