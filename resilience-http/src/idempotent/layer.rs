//! The layer and the settings.

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Method, Request, Response};
use resilience_core::InvalidPolicy;
use resilience_idempotency::{
    FingerprintBuilder, IdempotencyPolicy, KeyParts, OnInterrupted, OnLeaseLost, OnStoreError,
    OnUnsaved, Scope, Store,
};
use resilience_rules::{idempotency_layer, idempotent as rules};
use tower_layer::Layer;

use super::key_header::KeyHeaders;
use super::running::Running;
use super::service::IdempotencyService;
use super::store_policy::StorePolicy;
use super::stored_headers::StoredHeaders;

/// Makes endpoints safe to retry: a request with an idempotency key is handled once.
///
/// A repeated request receives the stored response of the first request. The layer works for every
/// `Service` of `http` requests, such as an `axum` router, `hyper` or `tonic`. [The module](crate)
/// has the guide and the table of responses.
///
/// **Order.** Place the layer inside authentication, because the scope needs the account, and
/// inside rate limiters, because their rejections must not be stored. Place compression and CORS
/// outside, because both depend on the headers of each request. Place limits of concurrent
/// requests inside, or use [`max_running`](Self::max_running): a handler continues after a
/// disconnect, and an outer limit no longer counts the handler. Under `axum` prefer
/// `Router::route_layer`, which leaves unknown paths to the 404 of the router.
///
/// **Readiness.** A request whose body arrives, or whose key is in use, holds no reservation of the
/// service, such as the permit of a concurrency limit. After the claim the request waits until the
/// service is ready, and the lease is renewed meanwhile. A client that disconnects meanwhile gives
/// the key back.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::post};
/// use resilience::http::IdempotencyLayer;
/// use resilience::idempotent::{MemoryStore, StaticStore};
///
/// static STORE: MemoryStore = MemoryStore::new();
///
/// #[derive(Clone)]
/// struct Tenant(String); // added to the request by authentication
///
/// async fn pay() -> &'static str {
///     "paid"
/// }
///
/// let payments = IdempotencyLayer::new("shop.payments", StaticStore(&STORE), |request| {
///     request.extensions.get::<Tenant>().map(|tenant| tenant.0.clone())
/// });
/// let app: Router = Router::new().route("/payments", post(pay)).route_layer(payments);
/// ```
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct IdempotencyLayer<T> {
    settings: Settings<T>,
}

type ScopeFn = Arc<dyn Fn(&Parts) -> Box<dyn KeyParts + Send> + Send + Sync>;
type FingerprintFn =
    Arc<dyn Fn(&Request<Bytes>, FingerprintBuilder) -> FingerprintBuilder + Send + Sync>;
type OnReplay = Arc<dyn Fn(&mut Response<Bytes>) + Send + Sync>;

/// The settings, shared by all requests.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate setting")]
pub(super) struct Settings<T> {
    pub(super) store: T,
    /// `None` for keys without a scope.
    scope: Option<ScopeFn>,
    pub(super) policy: IdempotencyPolicy,
    pub(super) lease: Duration,
    pub(super) on_interrupted: OnInterrupted,
    pub(super) on_unsaved: OnUnsaved,
    pub(super) store_timeout: Duration,
    pub(super) max_outcome: usize,
    pub(super) max_body: usize,
    pub(super) body_timeout: Duration,
    pub(super) max_running: u32,
    /// Shared by all clones of the layer.
    pub(super) running: Arc<Running>,
    pub(super) methods: Vec<Method>,
    pub(super) keys: KeyHeaders,
    pub(super) is_required: bool,
    pub(super) reports_ignored: bool,
    pub(super) canonical_json: bool,
    pub(super) fingerprint: Option<FingerprintFn>,
    pub(super) store_policy: StorePolicy,
    pub(super) stored_headers: StoredHeaders,
    pub(super) on_replay: Option<OnReplay>,
    pub(super) problem_base: Cow<'static, str>,
    pub(super) is_detached: bool,
}

impl<T: Store + Clone> IdempotencyLayer<T> {
    /// Creates a layer with a scope for each key: a tenant, an account, a user.
    ///
    /// `name` identifies the endpoints in the store, such as `"shop.payments"`. Layers with
    /// different names share no records. Choose a name with the service in front, because several
    /// services may use one store, and a name that outlives the path of the endpoint.
    ///
    /// Equal keys in different scopes are independent, and a scope never receives a response of
    /// another scope. Choose an identity that outlives a session, such as an account id: a
    /// repeated request with a refreshed token belongs to the same scope. The layer calls `scope`
    /// before the body is read. The result is a `String`, a number, a tuple, or another type with
    /// [`KeyParts`]. A request with the scope `None` is rejected with a 403.
    pub fn new<K: KeyParts + Send + 'static>(
        name: &'static str,
        store: T,
        scope: impl Fn(&Parts) -> K + Send + Sync + 'static,
    ) -> Self {
        Self::of(name, store, Some(Arc::new(move |request| Box::new(scope(request)))))
    }

    /// Creates a layer without scopes. [`new`](Self::new) explains the name.
    ///
    /// A client with a guessed key receives the response of another client. Use this function for
    /// services with one client, or with keys that cannot be guessed.
    pub fn global(name: &'static str, store: T) -> Self {
        Self::of(name, store, None)
    }

    fn of(name: &'static str, store: T, scope: Option<ScopeFn>) -> Self {
        let max_outcome = 1024 * 1024;
        let policy = IdempotencyPolicy::new(name).reject().max_outcome(max_outcome);
        Self {
            settings: Settings {
                store,
                scope,
                policy,
                lease: rules::LEASE,
                on_interrupted: OnInterrupted::Rerun,
                on_unsaved: OnUnsaved::Return,
                store_timeout: rules::STORE_TIMEOUT,
                max_outcome: max_outcome as usize,
                max_body: 2 * 1024 * 1024,
                body_timeout: Duration::from_secs(30),
                // As the default of Envoy for the requests to a cluster.
                max_running: 1024,
                running: Arc::default(),
                methods: vec![Method::POST, Method::PATCH],
                keys: KeyHeaders::default(),
                is_required: true,
                reports_ignored: false,
                canonical_json: false,
                fingerprint: None,
                store_policy: StorePolicy::Definitive,
                stored_headers: StoredHeaders::default(),
                on_replay: None,
                problem_base: Cow::Borrowed("urn:problem:idempotency:"),
                is_detached: true,
            },
        }
    }

    /// Changes the name of the endpoints in the store, for a clone of the layer.
    pub fn name(self, name: &'static str) -> Self {
        self.policy(|policy| policy.name(name))
    }

    /// Sets the version of the responses. Default: 1.
    ///
    /// A request whose record has a different version is rejected.
    pub fn version(self, version: u32) -> Self {
        self.policy(|policy| policy.version(version))
    }

    /// Sets the retention of a stored response. Default: 24 hours. Zero counts as the default.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.policy(|policy| policy.ttl(ttl))
    }

    /// Sets the lease of a running request. Default: 30 s. Zero counts as the default.
    ///
    /// The layer renews the lease every third of this time. Another request can take over after
    /// the lease has expired.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self.policy(|policy| policy.lease(lease))
    }

    /// Sets how long after its claim a running request renews its lease. Default: the
    /// [`ttl`](Self::ttl).
    ///
    /// A handler that hangs would otherwise keep its key forever. After this time another request
    /// can take over, and [`on_lease_lost`](Self::on_lease_lost) decides about the handler.
    pub fn max_renewal(self, time: Duration) -> Self {
        self.policy(|policy| policy.max_renewal(time))
    }

    /// Sets the time a repeated request waits for the first request, and receives the response.
    ///
    /// Without this setting, a repeated request is rejected at once.
    pub fn wait(self, wait: Duration) -> Self {
        self.policy(|policy| policy.wait(wait))
    }

    /// Sets the shortest key, as a protection against guessed keys. Default: 1 character.
    pub fn min_key_length(self, characters: u32) -> Self {
        self.policy(|policy| policy.min_key_length(characters))
    }

    /// Sets the treatment of a request after an interrupted request with an equal key: the process
    /// was killed, or the handler panicked. Default: [`OnInterrupted::Rerun`].
    ///
    /// A layer cannot reconcile, so [`OnInterrupted::Reconcile`] acts as
    /// [`OnInterrupted::Unknown`].
    pub fn on_interrupted(mut self, then: OnInterrupted) -> Self {
        let mode = match then {
            OnInterrupted::Reconcile => OnInterrupted::Unknown,
            mode => mode,
        };
        self.settings.on_interrupted = mode;
        self.policy(|policy| policy.on_interrupted(mode))
    }

    /// Sets the treatment of a request while the store fails. Default: the request is rejected.
    pub fn on_store_error(self, then: OnStoreError) -> Self {
        self.policy(|policy| policy.on_store_error(then))
    }

    /// Sets the treatment of a handler that has lost its lease, because the store did not renew
    /// the lease. Default: [`OnLeaseLost::Continue`].
    pub fn on_lease_lost(self, then: OnLeaseLost) -> Self {
        self.policy(|policy| policy.on_lease_lost(then))
    }

    /// Sets the response to a request whose outcome the store did not accept. Default:
    /// [`OnUnsaved::Return`].
    ///
    /// With `Return`, the client receives the response of the handler after
    /// [`store_timeout`](Self::store_timeout) at the latest. The layer repeats the write in the
    /// background for ten minutes, or until the lease ends if later. In this time, this process
    /// rejects a repeated request with a 409, `in-progress`. With [`OnUnsaved::Error`], the client
    /// waits for the last repetition, and receives a 503 if all repetitions fail.
    pub fn on_unsaved(mut self, then: OnUnsaved) -> Self {
        self.settings.on_unsaved = then;
        self.policy(|policy| policy.on_unsaved(then))
    }

    /// Sets the timeout of one operation of the store. Default: 500 ms. Zero counts as the default.
    pub fn store_timeout(mut self, time: Duration) -> Self {
        self.settings.store_timeout = time;
        self.policy(|policy| policy.store_timeout(time))
    }

    /// Sets the longest stored response, in bytes: the body, the trailers, and each stored header
    /// with its name, its value and 8 bytes. Default: 1 MiB.
    ///
    /// A longer response is passed on without a record of the body. A repeated request is rejected
    /// with `completed-without-body`.
    pub fn max_outcome(mut self, bytes: u32) -> Self {
        self.settings.max_outcome = bytes as usize;
        self.policy(|policy| policy.max_outcome(bytes))
    }

    /// Sets the longest request body, in bytes. Default: 2 MiB.
    ///
    /// The layer reads the body before the handler runs, because the body is part of the
    /// fingerprint.
    pub fn max_body(mut self, bytes: u32) -> Self {
        self.settings.max_body = bytes as usize;
        self
    }

    /// Sets the time for reading a request body. Default: 30 s.
    ///
    /// The layer rejects a request whose body is incomplete after this time with a 408.
    pub fn body_timeout(mut self, time: Duration) -> Self {
        self.settings.body_timeout = time;
        self
    }

    /// Sets the maximum number of requests that run at the same time, for this layer and its
    /// clones. Default: 1024.
    ///
    /// A request above the limit is rejected with a 503 before the body is read. A handler counts
    /// until its outcome is stored, also after the client has disconnected.
    pub fn max_running(mut self, requests: u32) -> Self {
        self.settings.max_running = requests;
        self
    }

    /// Sets the methods with protection. Default: POST and PATCH.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.methods = methods.into_iter().collect();
        self
    }

    /// Sets the headers that can carry the key. Default: `Idempotency-Key` and
    /// `X-Idempotency-Key`.
    pub fn headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.settings.keys.set_names(names);
        self
    }

    /// Sets a rule for keys, besides the rule of the library: 1 to 255 printable ASCII characters.
    /// A key that breaks the rule is rejected with a 400, `invalid-key`. Default: no rule.
    ///
    /// The function receives the key without quotation marks and escapes, such as
    /// `|key| key.len() == 36`.
    pub fn key_rule(mut self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.settings.keys.set_rule(rule);
        self
    }

    /// Sets whether a request without a key is rejected. Default: `true`.
    ///
    /// With `false`, such a request runs without protection.
    pub fn required(mut self, required: bool) -> Self {
        self.settings.is_required = required;
        self
    }

    /// Sets whether a response reports an ignored key by `Idempotency-Status: ignored`. Default:
    /// `false`.
    ///
    /// The layer ignores the key of a request with an unprotected [method](Self::methods).
    pub fn report_ignored(mut self, report: bool) -> Self {
        self.settings.reports_ignored = report;
        self
    }

    /// Sets whether JSON bodies are compared by value. Default: `false`, every byte counts.
    ///
    /// With `true`, white space, the order of members and the escapes of strings do not matter.
    /// Numbers are compared digit by digit, so `1` and `1.0` differ. A document with two members of
    /// one name in an object is compared by its bytes.
    pub fn canonical_json(mut self, canonical: bool) -> Self {
        self.settings.canonical_json = canonical;
        self
    }

    /// Sets the parts of a request that a repeated request must not change. Method and path always
    /// count.
    ///
    /// Without this setting the host, the query, the content type, the content encoding and the
    /// body count. Use this setting for requests with parts that change from one attempt to the
    /// next, such as a time in the body. A request that differs in a part left out receives the
    /// response of the first request.
    ///
    /// # Examples
    ///
    /// ```
    /// use resilience::http::IdempotencyLayer;
    /// use resilience::idempotent::{MemoryStore, StaticStore};
    ///
    /// static STORE: MemoryStore = MemoryStore::new();
    ///
    /// // The body starts with the time of the attempt, in a line of its own.
    /// let layer = IdempotencyLayer::global("shop.orders", StaticStore(&STORE)).fingerprint(
    ///     |request, fingerprint| {
    ///         let body = request.body();
    ///         let line = body.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    ///         fingerprint.value(&request.uri().query()).bytes(&body[line..])
    ///     },
    /// );
    /// ```
    pub fn fingerprint(
        mut self,
        fingerprint: impl Fn(&Request<Bytes>, FingerprintBuilder) -> FingerprintBuilder
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.settings.fingerprint = Some(Arc::new(fingerprint));
        self
    }

    /// Sets the responses to store. Default: [`StorePolicy::Definitive`].
    pub fn store_policy(mut self, store_policy: StorePolicy) -> Self {
        self.settings.store_policy = store_policy;
        self
    }

    /// Adds a header to the stored headers.
    ///
    /// The default headers describe the content (`content-*`, `etag`, `last-modified`, digests),
    /// the resource (`location`, `link`, `allow`), and the treatment of the content
    /// (`cache-control`, `vary`, `expires`, `retry-after`, and security headers such as
    /// `content-security-policy`). A replay sends `x-request-id` as `x-original-request-id`.
    /// Cookies, credentials, `date`, `content-length` and headers of the connection are never
    /// stored.
    pub fn keep_header(mut self, name: HeaderName) -> Self {
        self.settings.stored_headers.add(name);
        self
    }

    /// Stores all headers except these, instead of the default headers.
    ///
    /// Cookies, credentials, `date`, `content-length` and headers of the connection are never
    /// stored.
    pub fn keep_all_but(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.settings.stored_headers = StoredHeaders::AllBut(names.into_iter().collect());
        self
    }

    /// Sets a function that changes a replayed response before the response is sent.
    pub fn on_replay(
        mut self,
        hook: impl Fn(&mut Response<Bytes>) + Send + Sync + 'static,
    ) -> Self {
        self.settings.on_replay = Some(Arc::new(hook));
        self
    }

    /// Sets the first part of problem types, such as `https://api.example/problems/` for an API
    /// with a page on each problem. Default: `urn:problem:idempotency:`.
    pub fn problem_types(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.settings.problem_base = base.into();
        self
    }

    /// Sets whether a handler continues as a separate task after the client disconnects. Default:
    /// `true`.
    ///
    /// With `false`, a disconnect drops the handler, and the effect of the request is unknown.
    /// Without a tokio runtime, the handler never continues. The task belongs to the span of the
    /// request (feature `tracing`) and sees no task-locals.
    pub fn detach(mut self, detach: bool) -> Self {
        self.settings.is_detached = detach;
        self
    }

    /// Returns the first rule that the settings break, for settings from a file. The rules and
    /// their messages are those of `#[idempotent]`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::http::IdempotencyLayer;
    /// use resilience::idempotent::{MemoryStore, StaticStore};
    ///
    /// static STORE: MemoryStore = MemoryStore::new();
    ///
    /// let layer = IdempotencyLayer::global("shop.orders", StaticStore(&STORE));
    /// assert!(layer.validate().is_ok());
    /// let error = layer.ttl(Duration::ZERO).validate().unwrap_err();
    /// assert!(error.to_string().starts_with("`ttl` is zero"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`] if `ttl`, `lease`, `max_renewal`, `store_timeout`, `body_timeout` or
    /// `max_running` is zero, if `lease` is not shorter than `ttl` or longer than `max_renewal`, if
    /// `min_key_length` is greater than 255, or if `methods` or `headers` is empty.
    pub fn validate(&self) -> Result<(), InvalidPolicy> {
        let Settings { policy, body_timeout, max_running, methods, keys, .. } = &self.settings;
        policy.validate()?;
        idempotency_layer::body_timeout(*body_timeout)?;
        idempotency_layer::max_running(*max_running)?;
        idempotency_layer::methods(methods.len())?;
        idempotency_layer::headers(keys.names().len())
    }

    /// Waits until no request runs under this layer and its clones, for `timeout` at most. Returns
    /// the number of requests that are still running.
    ///
    /// A handler continues after its client has disconnected, so a server that has closed all
    /// connections may still run handlers. Call this function after the server has stopped, and
    /// before the runtime stops.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use axum::Router;
    /// use axum::routing::post;
    /// use resilience::http::IdempotencyLayer;
    /// use resilience::idempotent::{MemoryStore, StaticStore};
    /// use std::time::Duration;
    ///
    /// static STORE: MemoryStore = MemoryStore::new();
    ///
    /// # async fn shutdown_signal() {}
    /// async fn serve(listener: tokio::net::TcpListener) -> std::io::Result<()> {
    ///     let payments = IdempotencyLayer::global("shop.payments", StaticStore(&STORE));
    ///     let pay = post(async || "paid");
    ///     let app = Router::new().route("/payments", pay).route_layer(payments.clone());
    ///     axum::serve(listener, app).with_graceful_shutdown(shutdown_signal()).await?;
    ///     let _still_running = payments.drain(Duration::from_secs(30)).await;
    ///     Ok(())
    /// }
    /// ```
    pub async fn drain(&self, timeout: Duration) -> usize {
        self.settings.running.drain(timeout).await
    }

    fn policy(mut self, change: impl FnOnce(IdempotencyPolicy) -> IdempotencyPolicy) -> Self {
        self.settings.policy = change(self.settings.policy);
        self
    }
}

/// The scope of a request.
pub(super) enum RequestScope {
    Global,
    Of(Box<dyn KeyParts + Send>),
}

impl RequestScope {
    pub(super) fn as_scope(&self) -> Scope<'_> {
        match self {
            Self::Global => Scope::Global,
            Self::Of(parts) => Scope::Of(&**parts),
        }
    }
}

impl<T> Settings<T> {
    pub(super) fn scope(&self, request: &Parts) -> RequestScope {
        match &self.scope {
            None => RequestScope::Global,
            Some(scope) => RequestScope::Of(scope(request)),
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
