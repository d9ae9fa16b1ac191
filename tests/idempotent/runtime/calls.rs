//! Calls through the runner: claims, waits, and returned outcomes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use resilience::idempotent::testing::{FaultStore, InjectedFault, StoreOp};
use resilience::idempotent::{
    Capabilities, Claim, ClaimRequest, IdempotencyContext, IdempotencyPolicy, IdempotentCall,
    Interrupted, MemoryStore, OnInterrupted, OnLeaseLost, OnStoreError, RecordKey, Scope, Store,
    StoreErrorKind, StoreId, StoreResult, Token, WriteOutcome,
};
use resilience::{IdempotencyRejection, Rejected, RejectedKind};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

pub(crate) type Faulty = FaultStore<Arc<MemoryStore>>;

pub(crate) const POLICY: IdempotencyPolicy = IdempotencyPolicy::new("tests.charge");
pub(crate) const UNKNOWN: IdempotencyPolicy = POLICY.on_interrupted(OnInterrupted::Unknown);

pub(crate) fn store() -> Faulty {
    FaultStore::new(Arc::new(MemoryStore::new()))
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn call(policy: IdempotencyPolicy, store: &Faulty, key: &str) -> IdempotentCall<Faulty> {
    policy.call(store.clone(), Scope::Global, &key, |arguments| arguments).expect("a key")
}

/// Calls a body that returns the number of runs so far.
async fn counted(
    policy: IdempotencyPolicy,
    store: &Faulty,
    key: &str,
    takes: Duration,
    runs: &AtomicUsize,
) -> Result<usize, Rejected> {
    let body = async {
        let run = runs.fetch_add(1, SeqCst) + 1;
        sleep(takes).await;
        Ok(run)
    };
    call(policy, store, key).run_async(body).await
}

fn kind<T: std::fmt::Debug>(result: Result<T, Rejected>) -> RejectedKind {
    result.expect_err("a rejection").kind()
}

/// Of 100 waiting calls, a single call polls the store.
#[tokio::test(start_paused = true)]
async fn a_single_waiter_polls_the_store() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    let calls = (0..100).map(|_| counted(POLICY, &store, "k", ms(2000), &runs));
    let ends = futures::future::join_all(calls).await;
    assert!(ends.iter().all(|end| *end == Ok(1)), "{ends:?}");
    assert_eq!(runs.load(SeqCst), 1);
    let claims = store.calls(StoreOp::Claim);
    assert!(
        (101..=115).contains(&claims),
        "100 claims and the polls of a single call, not {claims}"
    );
    assert_eq!(store.calls(StoreOp::Complete), 1);
}

/// After a release, the waiting calls run in turn until a call succeeds.
#[tokio::test(start_paused = true)]
async fn waiting_calls_run_in_turn_after_a_release() {
    let (store, runs, at_once) = (store(), AtomicUsize::new(0), AtomicUsize::new(0));
    let calls = (0..20).map(|_| {
        call(POLICY, &store, "k").run_async(async {
            assert_eq!(at_once.fetch_add(1, SeqCst), 0, "two bodies at the same time");
            sleep(ms(100)).await;
            at_once.fetch_sub(1, SeqCst);
            let run = runs.fetch_add(1, SeqCst) + 1;
            let failed = Rejected::new(RejectedKind::RateLimited, "downstream", None);
            if run < 4 { Err(failed) } else { Ok(run) }
        })
    });
    let ends = futures::future::join_all(calls).await;
    assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 3);
    assert_eq!(ends.iter().filter(|end| **end == Ok(4)).count(), 17);
}

/// A call waits for the configured time, and not at all with `reject`.
#[tokio::test(start_paused = true)]
async fn a_wait_ends_on_time() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    let holder = counted(POLICY, &store, "k", ms(60_000), &runs);
    let waits = [0, 1, 30, 700].map(|wait| {
        let (store, runs) = (&store, &runs);
        async move {
            let begin = Instant::now();
            let end = counted(POLICY.wait(ms(wait)), store, "k", ms(0), runs).await;
            (kind(end), begin.elapsed().saturating_sub(ms(wait)))
        }
    });
    let reject = async {
        let begin = Instant::now();
        let end = counted(POLICY.reject(), &store, "k", ms(0), &runs).await.expect_err("held");
        assert_eq!(
            (end.kind(), begin.elapsed()),
            (RejectedKind::Idempotency(IdempotencyRejection::InFlight), ms(0))
        );
        assert!(end.retry_after().is_some_and(|after| after <= ms(30_000)), "{end:?}");
    };
    let waits = futures::future::join_all(waits);
    let (end, waits, ()) = futures::join!(holder, waits, reject);
    assert_eq!(end, Ok(1));
    for (kind, late) in waits {
        assert_eq!(kind, RejectedKind::Idempotency(IdempotencyRejection::InFlight));
        assert!(late <= ms(25), "{late:?} late");
    }
}

/// A cancelled waiter does not delay the remaining waiters.
#[tokio::test(start_paused = true)]
async fn a_cancelled_waiter_does_not_delay_other_waiters() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    let holder = counted(POLICY, &store, "k", ms(2000), &runs);
    let waiter = |give_up| {
        let call = counted(POLICY, &store, "k", ms(0), &runs);
        async move { tokio::time::timeout(ms(give_up), call).await.ok() }
    };
    // The first waiter polls the store, and gives up first.
    let waiters = futures::future::join_all([200, 4000, 300, 4000, 500].map(waiter));
    let (end, waiters) = futures::join!(holder, waiters);
    assert_eq!(end, Ok(1));
    assert_eq!(waiters, [None, Some(Ok(1)), None, Some(Ok(1)), None]);
}

/// A call that lost its lease returns the outcome of the call that took over.
#[tokio::test(start_paused = true)]
async fn a_stalled_call_returns_the_stored_outcome() {
    let store = store();
    store.always(StoreOp::Renew, InjectedFault::Fail(StoreErrorKind::Unavailable));
    let policy = POLICY.lease(ms(900));
    let body = |takes, name| async move {
        let fence = IdempotencyContext::current().expect("a call").fence();
        sleep(ms(takes)).await;
        Ok::<_, Rejected>((name, fence))
    };
    let (first, second) = (call(policy, &store, "k"), call(policy, &store, "k"));
    let first = first.run_async(async { body(2000, 1).await });
    let second = async {
        sleep(ms(1000)).await;
        second.run_async(async { body(100, 2).await }).await
    };
    let (first, second) = futures::join!(first, second);
    assert_eq!(first, second, "both calls return the same outcome");
    assert_eq!(first.expect("an outcome").0, 2);
}

/// A call that lost its lease is rejected while the call that took over still runs.
#[tokio::test(start_paused = true)]
async fn a_call_that_lost_its_lease_is_rejected() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    store.always(StoreOp::Renew, InjectedFault::Fail(StoreErrorKind::Unavailable));
    let policy = POLICY.lease(ms(900));
    let first = counted(policy, &store, "k", ms(1500), &runs);
    let second = async {
        sleep(ms(1000)).await;
        counted(policy, &store, "k", ms(800), &runs).await
    };
    let (first, second) = futures::join!(first, second);
    assert_eq!(
        (kind(first), second),
        (RejectedKind::Idempotency(IdempotencyRejection::LeaseLost), Ok(2))
    );
}

/// Heartbeats renew the lease of a long body, and stop after the body.
#[tokio::test(start_paused = true)]
async fn heartbeats_renew_the_lease_of_a_long_body() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    let policy = POLICY.lease(ms(300));
    let long = counted(policy, &store, "k", ms(3000), &runs);
    let others = async {
        for _ in 0..28 {
            sleep(ms(100)).await;
            let end = counted(policy.reject(), &store, "k", ms(0), &runs).await;
            assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::InFlight));
        }
    };
    let (end, ()) = futures::join!(long, others);
    assert_eq!(end, Ok(1));
    let beats = store.calls(StoreOp::Renew);
    assert!((25..=30).contains(&beats), "{beats}");
    sleep(ms(1000)).await;
    assert_eq!(store.calls(StoreOp::Renew), beats, "no heartbeat after the body");
}

/// `on_lease_lost` decides whether a body without heartbeats continues or is dropped.
#[tokio::test(start_paused = true)]
async fn a_body_without_heartbeats_continues_or_is_dropped() {
    for (policy, expected) in [
        (POLICY, Ok(1)),
        (
            POLICY.on_lease_lost(OnLeaseLost::Cancel),
            Err(RejectedKind::Idempotency(IdempotencyRejection::LeaseLost)),
        ),
    ] {
        let (store, runs) = (store(), AtomicUsize::new(0));
        store.always(StoreOp::Renew, InjectedFault::Hang);
        let begin = Instant::now();
        let end = counted(policy.lease(ms(900)), &store, "k", ms(9000), &runs).await;
        assert_eq!(end.map_err(|rejected| rejected.kind()), expected);
        let took = begin.elapsed();
        assert_eq!(took >= ms(9000), expected.is_ok(), "{took:?}");
        assert!(took >= ms(900), "the lease was not over after {took:?}");
    }
}

/// A claim or a completion without a reply is repeated.
#[tokio::test(start_paused = true)]
async fn steps_without_a_reply_are_repeated() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    store.script(StoreOp::Claim, [InjectedFault::LoseReply, InjectedFault::HangAfter]);
    store.script(
        StoreOp::Complete,
        [InjectedFault::LoseReply, InjectedFault::HangAfter, InjectedFault::LoseReply],
    );
    assert_eq!(counted(POLICY, &store, "k", ms(0), &runs).await, Ok(1));
    assert_eq!(store.calls(StoreOp::Claim), 3);
    assert_eq!(store.calls(StoreOp::Complete), 4);
    assert_eq!(counted(POLICY, &store, "k", ms(0), &runs).await, Ok(1));
}

/// The outcome is returned even if the completion fails until the lease ends.
#[tokio::test(start_paused = true)]
async fn an_unsaved_outcome_is_returned() {
    for (policy, next) in [
        (POLICY, Ok(2)),
        (UNKNOWN, Err(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))),
    ] {
        let (store, runs) = (store(), AtomicUsize::new(0));
        store.always(StoreOp::Complete, InjectedFault::Fail(StoreErrorKind::Unavailable));
        let begin = Instant::now();
        let policy = policy.lease(ms(3000));
        assert_eq!(counted(policy, &store, "k", ms(0), &runs).await, Ok(1));
        assert!(begin.elapsed() <= ms(3000), "{:?}", begin.elapsed());
        store.always(StoreOp::Complete, InjectedFault::Nothing);
        sleep(ms(3000)).await;
        let end = counted(policy, &store, "k", ms(0), &runs).await;
        assert_eq!(end.map_err(|rejected| rejected.kind()), next);
    }
}

/// A damaged outcome and an outcome of another version are rejected, and the body does not run.
#[tokio::test(start_paused = true)]
async fn a_damaged_outcome_is_rejected() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    assert_eq!(counted(POLICY, &store, "k", ms(0), &runs).await, Ok(1));
    store.script(StoreOp::Claim, [InjectedFault::Corrupt]);
    let end = counted(POLICY, &store, "k", ms(0), &runs).await;
    assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::Undecodable));
    let end = counted(POLICY.version(2), &store, "k", ms(0), &runs).await;
    assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::Undecodable));
    assert_eq!(counted(POLICY, &store, "k", ms(0), &runs).await, Ok(1));
}

/// `on_store_error` decides about a call while the store is unavailable. A corrupt record always
/// rejects.
#[tokio::test(start_paused = true)]
async fn an_unavailable_store_fails_closed_or_open() {
    let away = InjectedFault::Fail(StoreErrorKind::Unavailable);
    for (fault, longest) in [(away, ms(0)), (InjectedFault::Hang, ms(1500))] {
        let (store, runs) = (store(), AtomicUsize::new(0));
        store.always(StoreOp::Claim, fault);
        let begin = Instant::now();
        let end = counted(POLICY, &store, "k", ms(0), &runs).await;
        assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable));
        assert!(begin.elapsed() <= longest, "{:?}", begin.elapsed());
        assert_eq!(runs.load(SeqCst), 0);
        let open = POLICY.on_store_error(OnStoreError::FailOpen);
        assert_eq!(counted(open, &store, "k", ms(0), &runs).await, Ok(1));
        assert_eq!(store.calls(StoreOp::Complete), 0, "no claim to complete");
        store.always(StoreOp::Claim, InjectedFault::Fail(StoreErrorKind::Corrupt));
        let end = counted(open, &store, "k", ms(0), &runs).await;
        assert_eq!(
            kind(end),
            RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable),
            "a record may exist"
        );
    }
}

/// A full store rejects new keys until a record expires.
#[tokio::test(start_paused = true)]
async fn a_full_store_rejects_new_keys() {
    let store = FaultStore::new(Arc::new(MemoryStore::new().max_records(2)));
    let runs = AtomicUsize::new(0);
    assert_eq!(counted(POLICY, &store, "a", ms(0), &runs).await, Ok(1));
    assert_eq!(counted(POLICY.ttl(ms(60_000)), &store, "b", ms(0), &runs).await, Ok(2));
    let end = counted(POLICY, &store, "c", ms(0), &runs).await;
    assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable));
    assert_eq!(counted(POLICY, &store, "a", ms(0), &runs).await, Ok(1));
    assert_eq!(counted(POLICY, &store, "b", ms(0), &runs).await, Ok(2));
    sleep(ms(60_000)).await;
    assert_eq!(counted(POLICY, &store, "c", ms(0), &runs).await, Ok(3));
}

/// A store with a few connections: each step holds a connection for some time.
#[derive(Clone)]
struct Pooled {
    store: Arc<MemoryStore>,
    connections: Arc<Semaphore>,
    claims: Arc<AtomicUsize>,
}

impl Pooled {
    fn new(connections: usize) -> Self {
        let connections = Arc::new(Semaphore::new(connections));
        Self { store: Arc::default(), connections, claims: Arc::default() }
    }

    async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        let _connection = self.connections.acquire().await.expect("open");
        sleep(ms(20)).await;
        step.await
    }
}

impl Store for Pooled {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        self.claims.fetch_add(1, SeqCst);
        self.step(self.store.claim(request)).await
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.step(self.store.renew(key, token, lease)).await
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.step(self.store.complete(key, token, outcome, retention)).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.step(self.store.release(key, token)).await
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.step(self.store.abandon(key, token)).await
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        self.store.purge(limit).await
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        self.store.forget(key).await
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        self.store.interrupted(limit).await
    }

    fn caps(&self) -> Capabilities {
        self.store.caps()
    }

    fn id(&self) -> StoreId {
        self.store.id()
    }
}

/// 200 duplicates at once do not queue for the only connection of the store: 200 claims would take
/// four seconds, and the limit is half a second.
#[tokio::test(start_paused = true)]
async fn duplicates_do_not_queue_for_the_store() {
    for policy in [POLICY, POLICY.reject()] {
        let (store, runs) = (Pooled::new(1), AtomicUsize::new(0));
        let one = |_| {
            let call = policy.call(store.clone(), Scope::Global, &"k", |arguments| arguments);
            let runs = &runs;
            call.expect("a key").run_async(async move { Ok(runs.fetch_add(1, SeqCst) + 1) })
        };
        // The first round runs the body once, the second round replays.
        for round in 0..2 {
            for end in futures::future::join_all((0..200).map(one)).await {
                match end {
                    Ok(run) => assert_eq!(run, 1),
                    Err(rejected) => {
                        assert_eq!(round, 0, "{rejected}");
                        assert_eq!(
                            kind(Err::<(), _>(rejected)),
                            RejectedKind::Idempotency(IdempotencyRejection::InFlight)
                        );
                    }
                }
            }
        }
        assert_eq!(runs.load(SeqCst), 1);
        let claims = store.claims.load(SeqCst);
        assert!(claims <= 10, "{claims} claims of 400 calls");
    }
}

/// The claiming call leaves, or the store fails. The other calls do not wait for the answer.
#[tokio::test(start_paused = true)]
async fn a_shared_claim_that_fails_or_leaves_holds_no_other_call() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    store.script(StoreOp::Claim, [InjectedFault::Hang]);
    let mut first = Box::pin(counted(POLICY, &store, "k", ms(0), &runs));
    assert!(futures::poll!(&mut first).is_pending());
    let others =
        futures::future::join_all((0..9).map(|_| counted(POLICY, &store, "k", ms(0), &runs)));
    let leave = async {
        sleep(ms(100)).await;
        drop(first);
    };
    let begin = Instant::now();
    let (ends, ()) = futures::join!(others, leave);
    assert!(ends.iter().all(|end| *end == Ok(1)), "{ends:?}");
    assert!(begin.elapsed() <= ms(110), "{:?}", begin.elapsed());

    store.always(StoreOp::Claim, InjectedFault::Hang);
    let before = store.calls(StoreOp::Claim);
    let calls = (0..9).map(|_| counted(POLICY, &store, "other", ms(0), &runs));
    let begin = Instant::now();
    for end in futures::future::join_all(calls).await {
        let unavailable = RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable);
        assert_eq!(kind(end), unavailable);
    }
    assert!(begin.elapsed() <= ms(1510), "three times the limit: {:?}", begin.elapsed());
    assert_eq!(store.calls(StoreOp::Claim) - before, 4, "three claims, and one to give back");
}

/// Calls wait for a key whose executions fail. Their polls grow with the number of calls, not with
/// the square of the number.
#[tokio::test(start_paused = true)]
async fn polls_of_waiting_calls_grow_linearly() {
    async fn polls(calls: usize) -> usize {
        let (store, polls) = (Arc::new(MemoryStore::new()), Arc::new(AtomicUsize::new(0)));
        let policy = POLICY.wait(Duration::from_secs(3600));
        let tasks = (0..calls).map(|_| {
            let call = policy.call(Arc::clone(&store), Scope::Global, &"k", |arguments| arguments);
            let failing = call.expect("a key").run_async(async {
                sleep(ms(1)).await;
                Err::<u32, _>(Rejected::new(RejectedKind::RateLimited, "downstream", None))
            });
            let polls = Arc::clone(&polls);
            tokio::spawn(async move {
                let mut failing = std::pin::pin!(failing);
                std::future::poll_fn(|cx| {
                    polls.fetch_add(1, SeqCst);
                    failing.as_mut().poll(cx)
                })
                .await
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert!(task.await.expect("no panic").is_err());
        }
        polls.load(SeqCst)
    }
    let (few, many) = (polls(100).await, polls(1000).await);
    assert!(many <= 12 * few, "{few} polls of 100 calls, {many} polls of 1000 calls");
    assert!(many <= 10_000, "{many} polls of 1000 calls");
}

/// The waits for other calls are boxed, and the state of a running call is boxed.
#[tokio::test(start_paused = true)]
async fn the_future_of_a_call_is_small() {
    let make = || {
        let memory = Arc::new(MemoryStore::new());
        POLICY.call(memory, Scope::Global, &"k", |arguments| arguments).expect("a key")
    };
    let run = size_of_val(&make().run_async(async { Ok::<_, Rejected>(7) }));
    let claim = size_of_val(&make().claim());
    assert!(run <= 2304, "{run}");
    assert!(claim <= 1280, "{claim}");
}
