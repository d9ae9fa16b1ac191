//! The expansion under the strictest lints. The functions are written out, because most lints are
//! silent in a `macro_rules!` macro. CI runs Clippy on this file.
#![deny(
    warnings,
    missing_docs,
    let_underscore_drop,
    single_use_lifetimes,
    trivial_casts,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::shadow_unrelated,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::let_underscore_must_use,
    clippy::default_trait_access,
    clippy::if_then_some_else_none,
    clippy::min_ident_chars,
    clippy::missing_assert_message,
    clippy::semicolon_outside_block
)]

// Imports of all items that the expansion names by full paths, for `unused_qualifications`.
#[allow(
    unused_imports,
    reason = "with the imports, a full path would be an unused qualification"
)]
use core::{concat, module_path, ops::ControlFlow, time::Duration};

#[allow(unused_imports, reason = "as above")]
use resilience::{
    Bulkhead, CircuitBreaker, FailureClass, GiveUpEvent, Jitter, Outcome, RateLimiter, Rejected,
    RetryEvent, RetryPolicy, StateChange, bulkhead, circuit_breaker, coalesce, fallback, hedge,
    idempotent, rate_limit, retry, testing, timeout,
};

const ATTEMPTS: u32 = 2;
const BASE: Duration = Duration::from_millis(1);

/// The error of every function in this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self
    }
}

/// A client.
#[derive(Debug, Default, Clone)]
pub struct Client {
    /// The sent texts.
    pub sent: Vec<String>,
}

impl Client {
    /// Borrows the client.
    ///
    /// # Errors
    /// Always.
    #[retry]
    pub fn shared(&self, text: &str) -> Result<usize, Failed> {
        if self.sent.is_empty() && text.is_empty() {
            return Err(Failed);
        }
        Err(Failed)
    }

    /// Changes the client.
    ///
    /// # Errors
    /// Always.
    #[retry(attempts = ATTEMPTS, base_delay = BASE, max_delay = "1s", jitter = 0.5)]
    #[expect(clippy::needless_pass_by_value, reason = "an owned argument, lent to each attempt")]
    pub fn exclusive(&mut self, text: String) -> Result<usize, Failed> {
        self.sent.push(text.clone());
        Err(Failed)
    }

    /// Consumes the client.
    ///
    /// # Errors
    /// Always.
    #[retry(clone(self, text))]
    pub fn owned(mut self, mut text: String) -> Result<Self, Failed> {
        text.push('!');
        self.sent.push(text);
        Err(Failed)
    }

    /// Asks a server.
    ///
    /// # Errors
    /// Always.
    ///
    /// # Panics
    /// If the number of an attempt is zero.
    #[retry(
        attempts = 4,
        backoff = ["1ms", "2ms"],
        deadline = "30s",
        on = |error| *error == Failed,
        on_ok = |value| *value == 0,
        on_retry = note_retry,
        on_give_up = |event| assert!(event.attempt > 0, "attempts count from 1"),
        idempotent = !text.is_empty(),
        name = "ask"
    )]
    pub async fn ask(&mut self, text: &str) -> Result<usize, Failed> {
        self.sent.push(text.to_owned());
        core::future::ready(()).await;
        Err(Failed)
    }

    /// Asks twice.
    ///
    /// # Errors
    /// Always.
    #[hedge(after = "p95", warm_up = BASE, max = 2, idempotent, on = |error| *error == Failed, on_ok = |value| *value == 0)]
    pub async fn hedged(&self, text: &str) -> Result<usize, Failed> {
        core::future::ready(()).await;
        if text.is_empty() { Err(Failed) } else { Ok(text.len()) }
    }

    /// Asks with custom delays.
    ///
    /// # Errors
    /// Always.
    #[retry(attempts = 2, backoff = |_| BASE, jitter = Jitter::None)]
    pub async fn custom(&self) -> Result<usize, Failed> {
        core::future::ready(Err(Failed)).await
    }
}

/// A client of a failing dependency.
#[derive(Debug)]
pub struct Guarded {
    breaker: std::sync::Arc<CircuitBreaker>,
    bulkhead: Bulkhead,
    limit: Duration,
}

impl Guarded {
    /// Has every layer.
    ///
    /// # Errors
    /// Always.
    #[fallback(with = |error| if text.is_empty() { Err(error) } else { Ok(text.len()) })]
    #[retry(attempts = ATTEMPTS, base_delay = BASE)]
    #[circuit_breaker(
        failure_rate = 0.5,
        window = "10s",
        min_calls = 20,
        slow_call = "2s",
        reset_timeout = "30s",
        max_reset_timeout = "5m",
        on_state_change = note_change,
        key = text
    )]
    #[rate_limit(rate = 100, per = "1s", burst = 20, wait = "10ms")]
    #[bulkhead(max = 10, queue = 20, wait = "100ms")]
    #[timeout(self.limit)]
    pub async fn all(&self, text: &str) -> Result<usize, Failed> {
        core::future::ready(()).await;
        Err(Failed)
    }

    /// Shares executions, and keeps the last good value.
    ///
    /// # Errors
    /// Always.
    #[fallback(stale = "10m", key = (self.limit, text), max_keys = 100, aged = |value, _| value)]
    #[coalesce(key = (self.limit, text))]
    pub async fn shared_by_key(&self, text: &str) -> Result<String, Failed> {
        core::future::ready(()).await;
        if text.is_empty() { Err(Failed) } else { Ok(text.to_owned()) }
    }

    /// Has a breaker made by hand.
    ///
    /// # Errors
    /// Always.
    #[circuit_breaker(
        breaker = self.breaker,
        error = |_| Failed,
        on = |error| *error == Failed,
        on_ok = String::is_empty
    )]
    #[bulkhead(max = 10)]
    pub fn shared(&mut self, text: String) -> Result<String, Failed> {
        self.limit = BASE;
        if text.is_empty() { Err(Failed) } else { Ok(text) }
    }

    /// Has few keys.
    #[fallback(value = 7, on_ok = |value| *value > 99)]
    #[circuit_breaker]
    #[bulkhead(bulkhead = self.bulkhead)]
    #[rate_limit(limiter = LIMITER)]
    #[must_use]
    pub fn plain(&self) -> Option<u32> {
        if self.limit.is_zero() { None } else { Some(1) }
    }
}

/// Charges once per request.
#[derive(Debug)]
pub struct Till {
    store: std::sync::Arc<idempotent::MemoryStore>,
}

impl Till {
    /// Has every key.
    ///
    /// # Errors
    /// Always.
    #[fallback(with = |error| if tenant.is_empty() { Err(error) } else { Ok(tenant.len()) })]
    #[idempotent(
        store = self.store,
        key = (request, 7_u8),
        scope = tenant,
        fingerprint(request, tenant.len()),
        ttl = "24h",
        lease = BASE,
        concurrent = wait("5s"),
        on_interrupted = reconcile(|_| core::future::ready(idempotent::Reconciled::Unknown)),
        keep = "ok",
        on_store_error = "fail_open",
        on_lease_lost = "cancel",
        on_unsaved = "error",
        store_timeout = "100ms",
        min_key_length = 1,
        max_outcome = 1024,
        version = ATTEMPTS,
        on = |error| *error == Failed,
        error = |_| Failed,
        name = "till.charge"
    )]
    #[retry(attempts = ATTEMPTS, base_delay = BASE)]
    #[circuit_breaker]
    pub async fn charge(&mut self, tenant: String, request: u64) -> Result<usize, Failed> {
        core::future::ready(()).await;
        self.store = std::sync::Arc::default();
        if request == 0 { Err(Failed) } else { Ok(tenant.len()) }
    }
}

/// A step without a call around the step.
#[idempotent(step = "alone", keep = "nothing")]
#[must_use]
pub fn step(#[skip] waker: &core::task::Waker) -> Option<u32> {
    waker.wake_by_ref();
    Some(1)
}

static LIMITER: RateLimiter = RateLimiter::new(100, Duration::from_secs(1));

fn note_change(change: &StateChange) {
    assert!(change.from != change.to, "a change has two states");
}

fn note_retry(event: &RetryEvent<'_, Failed>) {
    assert!(event.attempt > 0, "attempts count from 1");
}

/// Runs under a policy made by hand.
#[retry(policy = policy)]
#[must_use]
pub fn with_policy(policy: &RetryPolicy) -> Option<u32> {
    let waits = policy.delay(1, None) > Duration::ZERO;
    if waits { None } else { Some(1) }
}

/// Has a body on a single line, as all functions in this module.
pub mod single_lines {
    use super::{Failed, hedge, retry, timeout};

    /// The answer of a server.
    #[derive(Debug)]
    pub struct Answer(Result<usize, Failed>);

    impl Answer {
        /// Returns the answer.
        ///
        /// # Errors
        /// The error of the answer.
        pub async fn get(&self) -> Result<usize, Failed> {
            core::future::ready(self.0).await
        }
    }

    /// Asks again, within a time.
    ///
    /// # Errors
    /// As the answer.
    #[rustfmt::skip]
    #[retry]
    #[timeout("1s")]
    pub async fn retried(answer: &Answer) -> Result<usize, Failed> { answer.get().await }

    /// Asks twice, within a time.
    ///
    /// # Errors
    /// As the answer.
    #[rustfmt::skip]
    #[hedge(after = "1s", idempotent)]
    #[timeout("1s")]
    pub async fn hedged(answer: &Answer) -> Result<usize, Failed> { answer.get().await }

    /// Begins with a word that may begin an item.
    ///
    /// # Errors
    /// As the answer.
    #[rustfmt::skip]
    #[retry]
    pub async fn union(union: &Answer) -> Result<usize, Failed> { union.get().await }

    /// Has a word that may begin an item.
    ///
    /// # Errors
    /// As the answer.
    #[rustfmt::skip]
    #[retry]
    pub fn pointer(answer: &Answer) -> Result<usize, Failed> { pick::<fn(u8)>(answer) }

    #[expect(clippy::extra_unused_type_parameters, reason = "the type is the subject")]
    const fn pick<T>(answer: &Answer) -> Result<usize, Failed> {
        answer.0
    }

    #[test]
    fn the_functions_run() {
        use futures::executor::block_on;
        let answer = Answer(Ok(7));
        assert_eq!(block_on(retried(&answer)), Ok(7), "retried");
        assert_eq!(block_on(hedged(&answer)), Ok(7), "hedged");
        assert_eq!(block_on(union(&answer)), Ok(7), "union");
        assert_eq!(pointer(&answer), Ok(7), "pointer");
    }
}

/// Has no documented error, and an empty body.
#[retry(attempts = 2)]
fn unit() -> Result<(), Failed> {
    Ok(())
}

#[test]
fn the_functions_run() {
    let _guard = testing::no_waits();
    let mut client = Client::default();
    assert_eq!(client.shared(""), Err(Failed), "shared");
    assert_eq!(client.exclusive(String::new()), Err(Failed), "exclusive");
    assert!(client.clone().owned(String::new()).is_err(), "owned");
    assert_eq!(futures::executor::block_on(client.ask("")), Err(Failed), "ask");
    assert_eq!(futures::executor::block_on(client.custom()), Err(Failed), "custom");
    assert_eq!(with_policy(&RetryPolicy::new()), None, "with_policy");
    assert_eq!(unit(), Ok(()), "unit");
    let mut guarded = Guarded {
        breaker: std::sync::Arc::default(),
        bulkhead: Bulkhead::new(1),
        limit: Duration::from_secs(1),
    };
    assert_eq!(futures::executor::block_on(guarded.all("a")), Ok(1), "all");
    assert_eq!(guarded.plain(), Some(1), "plain");
    assert_eq!(guarded.shared("a".to_owned()), Ok("a".to_owned()), "shared");
    let mut till = Till { store: std::sync::Arc::default() };
    let charged = futures::executor::block_on(till.charge("acme".to_owned(), 1));
    assert_eq!(charged, Ok(4), "charge");
    assert_eq!(step(core::task::Waker::noop()), None, "step");
    assert_eq!(client.sent.len(), 3, "a call that is not idempotent is sent once");
}
