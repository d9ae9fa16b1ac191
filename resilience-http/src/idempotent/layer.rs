//! The layer and its settings.

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Method, Response};
use resilience_idempotency::{
    IdempotencyPolicy, KeyParts, OnInterrupted, OnStoreError, Scope, Store,
};
use tower_layer::Layer;

use super::key::KeyHeaders;
use super::record::KeptHeaders;
use super::service::IdempotencyService;
use super::statuses::StorePolicy;

/// Makes the endpoints inside of it safe to retry: a request with an idempotency key is handled once, and
/// whoever sends it again gets the answer of the first time.
///
/// For whatever is a `Service` of `http` requests: a router of `axum`, a service under `hyper`, `tonic`. The
/// guide, with the table of answers, is that of [the module](crate).
///
/// It has to know whose keys they are, so it stands inside of what finds that out; and what turns requests away
/// for reasons of its own, such as a rate limiter, stands outside too, because its answers are none to keep.
///
/// ```
/// use axum::{Router, routing::post};
/// use resilience::http::IdempotencyLayer;
/// use resilience::idempotent::{MemoryStore, StaticStore};
///
/// static STORE: MemoryStore = MemoryStore::new();
///
/// #[derive(Clone)]
/// struct Tenant(String); // put into the request by the authentication
///
/// # async fn pay() -> &'static str { "paid" }
/// let payments = IdempotencyLayer::new(StaticStore(&STORE), |request| {
///     request.extensions.get::<Tenant>().map(|tenant| tenant.0.clone())
/// })
/// .name("payments");
/// let app: Router = Router::new().route("/payments", post(pay)).layer(payments);
/// ```
#[must_use = "a layer does nothing until it is put around a service"]
pub struct IdempotencyLayer<T> {
    settings: Settings<T>,
}

type Scoping = Arc<dyn Fn(&Parts) -> Box<dyn KeyParts> + Send + Sync>;
type OnReplay = Arc<dyn Fn(&mut Response<Bytes>) + Send + Sync>;

/// What all requests have in common.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub(super) struct Settings<T> {
    pub(super) store: T,
    /// None for keys that are everybody's.
    scope: Option<Scoping>,
    pub(super) policy: IdempotencyPolicy,
    pub(super) mode: OnInterrupted,
    pub(super) max_outcome: usize,
    pub(super) max_body: usize,
    pub(super) methods: Vec<Method>,
    pub(super) keys: KeyHeaders,
    pub(super) is_required: bool,
    pub(super) tells_ignored: bool,
    pub(super) canonical_json: bool,
    pub(super) statuses: StorePolicy,
    pub(super) kept: KeptHeaders,
    pub(super) on_replay: Option<OnReplay>,
    pub(super) types: Cow<'static, str>,
    pub(super) detaches: bool,
}

impl<T: Store + Clone> IdempotencyLayer<T> {
    /// A layer whose keys belong to whom `scope` says: a tenant, an account, a user. Two of them with the same
    /// key have nothing to do with each other, and neither is ever told what the other did.
    ///
    /// It is asked after the body was read, and returns something that can be a key: a `String`, a number, a tuple of
    /// them. A `None` is a request of nobody, which is turned away with a 403.
    pub fn new<K: KeyParts + 'static>(
        store: T,
        scope: impl Fn(&Parts) -> K + Send + Sync + 'static,
    ) -> Self {
        Self::of(store, Some(Arc::new(move |request| Box::new(scope(request)))))
    }

    /// A layer whose keys are everybody's: whoever guesses one is given the answer that another has got. For
    /// services that have one client, or whose keys cannot be guessed.
    pub fn global(store: T) -> Self {
        Self::of(store, None)
    }

    fn of(store: T, scope: Option<Scoping>) -> Self {
        let max_outcome = 1024 * 1024;
        let policy = IdempotencyPolicy::new("http").reject().max_outcome(max_outcome);
        Self {
            settings: Settings {
                store,
                scope,
                policy,
                mode: OnInterrupted::Rerun,
                max_outcome: max_outcome as usize,
                max_body: 2 * 1024 * 1024,
                methods: vec![Method::POST, Method::PATCH],
                keys: KeyHeaders::default(),
                is_required: true,
                tells_ignored: false,
                canonical_json: false,
                statuses: StorePolicy::Verdicts,
                kept: KeptHeaders::default(),
                on_replay: None,
                types: Cow::Borrowed("urn:problem:idempotency:"),
                detaches: true,
            },
        }
    }

    /// The name of the endpoint in the store, which should outlive its path. Two layers with different names
    /// and the same store share nothing. Default: `"http"`.
    pub fn name(self, name: &'static str) -> Self {
        self.policy(|policy| policy.name(name))
    }

    /// The version of its answers. One that was stored by another version is not replayed: the request is
    /// turned away. Default: 1.
    pub fn version(self, version: u32) -> Self {
        self.policy(|policy| policy.version(version))
    }

    /// For how long an answer is kept. Default: 24 hours.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.policy(|policy| policy.ttl(ttl))
    }

    /// How long after its last sign of life a request counts as dead. It gives one every third of that.
    /// Default: 30 s.
    pub fn lease(self, lease: Duration) -> Self {
        self.policy(|policy| policy.lease(lease))
    }

    /// For how long a request waits for the first one with its key, to be given the same answer. Without it
    /// the second one is turned away at once.
    pub fn wait(self, wait: Duration) -> Self {
        self.policy(|policy| policy.wait(wait))
    }

    /// The least length of a key, against keys that can be guessed. Default: 1.
    pub fn min_key_length(self, characters: u32) -> Self {
        self.policy(|policy| policy.min_key_length(characters))
    }

    /// What becomes of a request whose predecessor never said how it ended, because its process was killed or
    /// its handler panicked. Default: it is handled again. A layer cannot find out what has happened, so
    /// [`OnInterrupted::Reconcile`] means [`OnInterrupted::Unknown`] here.
    pub fn on_interrupted(mut self, then: OnInterrupted) -> Self {
        let mode = match then {
            OnInterrupted::Reconcile => OnInterrupted::Unknown,
            mode => mode,
        };
        self.settings.mode = mode;
        self.policy(|policy| policy.on_interrupted(mode))
    }

    /// What becomes of a request when the store does not answer. Default: it is turned away.
    pub fn on_store_error(self, then: OnStoreError) -> Self {
        self.policy(|policy| policy.on_store_error(then))
    }

    /// How long one step of the store may take. Default: 500 ms.
    pub fn store_timeout(self, time: Duration) -> Self {
        self.policy(|policy| policy.store_timeout(time))
    }

    /// The longest answer that is stored, in bytes. A longer one is passed on as it comes, and a repetition
    /// is told that the request was handled. Default: 1 MiB.
    pub fn max_outcome(mut self, bytes: u32) -> Self {
        self.settings.max_outcome = bytes as usize;
        self.policy(|policy| policy.max_outcome(bytes))
    }

    /// The longest request that is taken, in bytes: it is read before it is handled, because what it says
    /// belongs to its key. Default: 2 MiB.
    pub fn max_body(mut self, bytes: u32) -> Self {
        self.settings.max_body = bytes as usize;
        self
    }

    /// The methods whose requests are handled once. Default: POST and PATCH.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.methods = methods.into_iter().collect();
        self
    }

    /// The headers in which the key may stand. Default: `Idempotency-Key` and `X-Idempotency-Key`.
    pub fn headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.settings.keys = KeyHeaders::new(names);
        self
    }

    /// Whether a request without a key is turned away; otherwise nothing protects it. Default: `true`.
    pub fn required(mut self, required: bool) -> Self {
        self.settings.is_required = required;
        self
    }

    /// Whether a request whose key is not looked at, because of its method, is told so by `Idempotency-Status:
    /// ignored`. Default: `false`.
    pub fn tell_ignored(mut self, tell: bool) -> Self {
        self.settings.tells_ignored = tell;
        self
    }

    /// Whether two requests are the same whose JSON says the same: white space and the order of members do not
    /// count then. Default: `false`, every byte counts.
    pub fn canonical_json(mut self, canonical: bool) -> Self {
        self.settings.canonical_json = canonical;
        self
    }

    /// Which answers are stored. Default: [`StorePolicy::Verdicts`].
    pub fn statuses(mut self, statuses: StorePolicy) -> Self {
        self.settings.statuses = statuses;
        self
    }

    /// Stores another header of answers, beside `content-type`, `content-encoding`, `content-language`,
    /// `location`, `etag`, `link`, `retry-after`, and `x-request-id`, which is `x-original-request-id` in a
    /// replay. Cookies, `date`, `content-length` and headers of the connection are never stored.
    pub fn keep_header(mut self, name: HeaderName) -> Self {
        self.settings.kept.add(name);
        self
    }

    /// Changes an answer that is replayed, before it is sent.
    pub fn on_replay(
        mut self,
        hook: impl Fn(&mut Response<Bytes>) + Send + Sync + 'static,
    ) -> Self {
        self.settings.on_replay = Some(Arc::new(hook));
        self
    }

    /// What stands in front of the `type` of a problem, such as
    /// `https://api.example/problems/`, where there is a page on each. Default: `urn:problem:idempotency:`.
    pub fn problem_types(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.settings.types = base.into();
        self
    }

    /// Whether a handler goes on, as a task of its own, when its client has hung up. Otherwise it is dropped
    /// half-way, and nobody knows what it has done. Default: `true`. Outside of a runtime of tokio it never
    /// does. The task is inside the span of its request (feature `tracing`), and outside of all task-locals.
    pub fn detach(mut self, detach: bool) -> Self {
        self.settings.detaches = detach;
        self
    }

    fn policy(mut self, change: impl FnOnce(IdempotencyPolicy) -> IdempotencyPolicy) -> Self {
        self.settings.policy = change(self.settings.policy);
        self
    }
}

impl<T> Settings<T> {
    /// Hands `then` the scope of a request.
    pub(super) fn scoped<O>(&self, request: &Parts, then: impl FnOnce(Scope<'_>) -> O) -> O {
        match &self.scope {
            None => then(Scope::Global),
            Some(scope) => then(Scope::Of(&*scope(request))),
        }
    }
}

impl<T: Clone> Clone for IdempotencyLayer<T> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone() }
    }
}

impl<T: Clone, S> Layer<S> for IdempotencyLayer<T> {
    type Service = IdempotencyService<S, T>;

    fn layer(&self, service: S) -> Self::Service {
        IdempotencyService::new(service, Arc::new(self.settings.clone()))
    }
}

impl<T> fmt::Debug for IdempotencyLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyLayer")
            .field("policy", &self.settings.policy)
            .finish_non_exhaustive()
    }
}
