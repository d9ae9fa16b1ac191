//! Calls through the runner: who runs, who waits, what is returned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use resilience::idempotent::testing::{FaultStore, InjectedFault, StoreOp};
use resilience::idempotent::{
    IdempotencyContext, IdempotencyPolicy, IdempotentCall, MemoryStore, OnInterrupted, OnLeaseLost,
    OnStoreError, Scope, StoreErrorKind,
};
use resilience::{IdempotencyRejection, Rejected, RejectedKind};
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

/// A call whose body returns how often it has run.
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

/// C05.
#[tokio::test(start_paused = true)]
async fn a_hundred_wait_and_one_asks() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    let calls = (0..100).map(|_| counted(POLICY, &store, "k", ms(2000), &runs));
    let ends = futures::future::join_all(calls).await;
    assert!(ends.iter().all(|end| *end == Ok(1)), "{ends:?}");
    assert_eq!(runs.load(SeqCst), 1);
    let claims = store.calls(StoreOp::Claim);
    assert!((101..=115).contains(&claims), "a claim of each and the polls of one, not {claims}");
    assert_eq!(store.calls(StoreOp::Complete), 1);
}

/// C05, on release: one of those who wait, and then the next.
#[tokio::test(start_paused = true)]
async fn a_release_lets_one_of_them_run() {
    let (store, runs, at_once) = (store(), AtomicUsize::new(0), AtomicUsize::new(0));
    let calls = (0..20).map(|_| {
        call(POLICY, &store, "k").run_async(async {
            assert_eq!(at_once.fetch_add(1, SeqCst), 0, "two at once");
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

/// C07.
#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_time() {
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
        assert!(late <= ms(25), "{late:?} too late");
    }
}

/// C08.
#[tokio::test(start_paused = true)]
async fn a_cancelled_waiter_disturbs_nobody() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    let holder = counted(POLICY, &store, "k", ms(2000), &runs);
    let waiter = |give_up| {
        let call = counted(POLICY, &store, "k", ms(0), &runs);
        async move { tokio::time::timeout(ms(give_up), call).await.ok() }
    };
    // The one who asks is the first of them.
    let waiters = futures::future::join_all([200, 4000, 300, 4000, 500].map(waiter));
    let (end, waiters) = futures::join!(holder, waiters);
    assert_eq!(end, Ok(1));
    assert_eq!(waiters, [None, Some(Ok(1)), None, Some(Ok(1)), None]);
}

/// C09, C15: a stalled call finds what the other stored, and its fence is lower.
#[tokio::test(start_paused = true)]
async fn a_stalled_call_returns_what_counts() {
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
    assert_eq!(first, second, "one truth");
    assert_eq!(first.expect("an outcome").0, 2);
}

/// C10, C09: the other is still running.
#[tokio::test(start_paused = true)]
async fn a_lease_lost_to_one_who_runs_is_told() {
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

/// C12.
#[tokio::test(start_paused = true)]
async fn signs_of_life_keep_a_long_body() {
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
    assert_eq!(store.calls(StoreOp::Renew), beats, "none after the end");
}

/// C13.
#[tokio::test(start_paused = true)]
async fn a_body_without_signs_of_life_goes_on_or_is_dropped() {
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

/// C19 to C21.
#[tokio::test(start_paused = true)]
async fn lost_answers_are_asked_for_again() {
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

/// C21.
#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_stored_is_returned() {
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

/// C51.
#[tokio::test(start_paused = true)]
async fn damaged_bytes_are_no_reason_to_run() {
    let (store, runs) = (store(), AtomicUsize::new(0));
    assert_eq!(counted(POLICY, &store, "k", ms(0), &runs).await, Ok(1));
    store.script(StoreOp::Claim, [InjectedFault::Corrupt]);
    let end = counted(POLICY, &store, "k", ms(0), &runs).await;
    assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::Undecodable));
    let end = counted(POLICY.version(2), &store, "k", ms(0), &runs).await;
    assert_eq!(kind(end), RejectedKind::Idempotency(IdempotencyRejection::Undecodable));
    assert_eq!(counted(POLICY, &store, "k", ms(0), &runs).await, Ok(1));
}

/// C55, C56.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away() {
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
        assert_eq!(store.calls(StoreOp::Complete), 0, "nothing to complete");
        store.always(StoreOp::Claim, InjectedFault::Fail(StoreErrorKind::Corrupt));
        let end = counted(open, &store, "k", ms(0), &runs).await;
        assert_eq!(
            kind(end),
            RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable),
            "a record may be there"
        );
    }
}

/// C57.
#[tokio::test(start_paused = true)]
async fn a_full_store_keeps_what_it_has() {
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
