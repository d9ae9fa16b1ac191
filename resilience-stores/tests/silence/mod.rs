//! Calls whose store falls silent: the server accepts connections and does not answer, or stops in
//! the middle of a call. Each call ends within the stated times, and no effect happens twice.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use resilience::idempotent::{RecordKey, Store, StoreErrorKind};
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};

use crate::servers::Proxy;

const LEASE: Duration = Duration::from_secs(2);
const STORE_TIMEOUT: Duration = Duration::from_millis(500);

/// The time that a busy machine may add.
const SLACK: Duration = Duration::from_secs(4);

/// A function with an effect, and a store behind a proxy.
pub(crate) struct Bank<S> {
    store: S,
    proxy: Proxy,
    /// Separates the records of the tests on one server.
    tenant: u64,
    paid: AtomicU32,
    falls_silent: AtomicBool,
}

type Outcome = Result<u32, Rejected>;

impl<S: Store + Clone> Bank<S> {
    pub(crate) fn new(store: S, proxy: Proxy) -> Self {
        let (paid, falls_silent) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { store, proxy, tenant: RandomState::new().hash_one(0), paid, falls_silent }
    }

    #[idempotent(
        store = self.store, key = key, scope = self.tenant, name = "silence.pay", lease = "2s",
        ttl = "1h", store_timeout = "500ms", on_interrupted = "unknown", concurrent = "reject"
    )]
    async fn pay(&self, key: &str) -> Outcome {
        Ok(self.effect())
    }

    #[idempotent(
        store = self.store, key = key, scope = self.tenant, name = "silence.pay", lease = "2s",
        ttl = "1h", store_timeout = "500ms", on_interrupted = "unknown", concurrent = "reject",
        on_unsaved = "error"
    )]
    async fn pay_and_save(&self, key: &str) -> Outcome {
        Ok(self.effect())
    }

    #[idempotent(
        store = self.store, key = key, scope = self.tenant, name = "silence.pay", lease = "2s",
        ttl = "1h", store_timeout = "500ms", on_interrupted = "unknown", concurrent = "reject"
    )]
    async fn pay_unheard(&self, key: &str) -> Outcome {
        self.proxy.swallow();
        Ok(self.effect())
    }

    #[idempotent(
        store = self.store, key = key, scope = self.tenant, name = "silence.pay", lease = "2s",
        ttl = "1h", store_timeout = "500ms", on_interrupted = "unknown", concurrent = "reject",
        on_lease_lost = "cancel"
    )]
    async fn pay_slowly(&self, key: &str) -> Outcome {
        self.proxy.fall_silent();
        tokio::time::sleep(Duration::from_mins(10)).await;
        Ok(self.effect())
    }

    fn effect(&self) -> u32 {
        if self.falls_silent.load(SeqCst) {
            self.proxy.fall_silent();
        }
        self.paid.fetch_add(1, SeqCst) + 1
    }

    /// The network works again. Its connections are gone, as after a silence in a real network.
    fn speak(&self) {
        self.falls_silent.store(false, SeqCst);
        self.proxy.pass();
        self.proxy.cut();
    }

    /// Repeats a call until the store answers, and the lease of the first call has ended.
    async fn repeated(&self, key: &str) -> Outcome {
        let begin = Instant::now();
        loop {
            let outcome = self.pay(key).await;
            match reason(&outcome) {
                Some(IdempotencyRejection::StoreUnavailable | IdempotencyRejection::InFlight)
                    if begin.elapsed() < Duration::from_secs(30) =>
                {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return outcome,
            }
        }
    }

    pub(crate) async fn a_claim(self) {
        assert_eq!(self.repeated("warm").await, Ok(1));
        self.proxy.fall_silent();
        let begin = Instant::now();
        let outcome = self.pay("k").await;
        let bound = 3 * STORE_TIMEOUT + SLACK;
        assert!(begin.elapsed() < bound, "three steps at most: {:?}", begin.elapsed());
        assert_eq!(reason(&outcome), Some(IdempotencyRejection::StoreUnavailable));
        let text = chain(&outcome.unwrap_err());
        assert!(text.contains("no answer within 500ms"), "{text}");
        self.speak();
        assert_eq!(self.repeated("k").await, Ok(2), "the body has not run before");
    }

    pub(crate) async fn a_completion(self) {
        assert_eq!(self.repeated("warm").await, Ok(1));
        self.falls_silent.store(true, SeqCst);
        let begin = Instant::now();
        assert_eq!(self.pay("k").await, Ok(2), "the effect has happened");
        let bound = LEASE + STORE_TIMEOUT + SLACK;
        assert!(begin.elapsed() < bound, "until the lease ends: {:?}", begin.elapsed());
        self.speak();
        let repeated = self.repeated("k").await;
        assert_eq!(reason(&repeated), Some(IdempotencyRejection::OutcomeUnknown), "{repeated:?}");
        assert_eq!(self.paid.load(SeqCst), 2, "no second effect");
    }

    pub(crate) async fn a_completion_that_counts(self) {
        assert_eq!(self.repeated("warm").await, Ok(1));
        self.falls_silent.store(true, SeqCst);
        let outcome = self.pay_and_save("k").await;
        assert_eq!(reason(&outcome), Some(IdempotencyRejection::StoreUnavailable));
        let text = chain(&outcome.unwrap_err());
        assert!(text.contains("no answer within 500ms"), "{text}");
        self.speak();
        let repeated = self.repeated("k").await;
        assert_eq!(reason(&repeated), Some(IdempotencyRejection::OutcomeUnknown), "{repeated:?}");
        assert_eq!(self.paid.load(SeqCst), 2, "no second effect");
    }

    /// The server executes the completion, and only its answer is lost.
    pub(crate) async fn an_answer(self) {
        assert_eq!(self.repeated("warm").await, Ok(1));
        let begin = Instant::now();
        assert_eq!(self.pay_unheard("k").await, Ok(2));
        assert!(begin.elapsed() < LEASE + STORE_TIMEOUT + SLACK, "{:?}", begin.elapsed());
        assert!(self.proxy.swallowed() > 0);
        self.speak();
        let repeated = self.repeated("k").await;
        // A slow server may find the connection closed before the completion is stored.
        let is_unknown = reason(&repeated) == Some(IdempotencyRejection::OutcomeUnknown);
        assert!(repeated == Ok(2) || is_unknown, "the stored outcome: {repeated:?}");
        assert_eq!(self.paid.load(SeqCst), 2, "no second effect");
    }

    /// A body without a lease is dropped, with `on_lease_lost = "cancel"`.
    pub(crate) async fn a_renewal(self) {
        assert_eq!(self.repeated("warm").await, Ok(1));
        let begin = Instant::now();
        let outcome = self.pay_slowly("k").await;
        assert_eq!(reason(&outcome), Some(IdempotencyRejection::LeaseLost), "{outcome:?}");
        let bound = LEASE + LEASE / 3 + STORE_TIMEOUT + SLACK;
        assert!(begin.elapsed() < bound, "{:?}", begin.elapsed());
        assert_eq!(self.paid.load(SeqCst), 1, "the body was dropped before its effect");
    }

    /// The steps of maintenance have a limit of 30 s, in virtual time here.
    pub(crate) async fn maintenance(self) {
        assert_eq!(self.repeated("warm").await, Ok(1));
        self.proxy.fall_silent();
        tokio::time::pause();
        let key = RecordKey([1; 32]);
        let begin = tokio::time::Instant::now();
        let purged = idempotent::purge(&self.store, 10).await.map(drop);
        let forgotten = idempotent::forget(&self.store, &key).await.map(drop);
        let listed = idempotent::redrive(&self.store, 10, |_| async { Ok::<_, ()>(()) }).await;
        let mut waits = 0;
        for failed in [purged, forgotten, listed.map(drop)] {
            // A step that the store need not ask succeeds.
            let Err(error) = failed else { continue };
            waits += 1;
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
        }
        assert!(waits >= 2, "the steps need an answer");
        assert!(begin.elapsed() <= waits * Duration::from_secs(31), "{:?}", begin.elapsed());
    }
}

fn reason(outcome: &Outcome) -> Option<IdempotencyRejection> {
    match outcome.as_ref().err()?.kind() {
        RejectedKind::Idempotency(reason) => Some(reason),
        other => panic!("{other:?}"),
    }
}

/// Formats an error with its sources.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Defines a test for each fault, on the bank that `$bank` opens.
macro_rules! silence_tests {
    ($bank:path; $($fault:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $fault() {
                let Some(bank) = $bank().await else { return };
                bank.$fault().await;
            }
        )*
    };
}
pub(crate) use silence_tests;
