//! Steps of a call, and child keys.

use std::cell::RefCell;
use std::future::pending;

use resilience::idempotent::{
    IdempotencyContext, IdempotencyPolicy, MemoryStore, RecordKey, Scope,
};
use resilience::{IdempotencyRejection, RejectedKind, idempotent};

use super::{Answer, Runs, crash, rejected_as};

/// The events of a test, in order.
#[derive(Default)]
struct Log(RefCell<Vec<String>>);

impl Log {
    fn note(&self, event: &str) -> usize {
        let call = IdempotencyContext::current().expect("inside of a call");
        let mut log = self.0.borrow_mut();
        log.push(format!("{event} {}", call.child_key("bank")));
        log.len()
    }
}

#[idempotent(key = order, scope = "global", name = "steps.fulfil")]
async fn fulfil(order: u32, #[skip] log: &Log, #[skip] works: bool) -> Answer {
    log.note("fulfil");
    let paid = pay(order, log).await?;
    ship(paid, log, works).await
}

#[idempotent(step = "pay")]
async fn pay(order: u32, #[skip] log: &Log) -> Answer {
    log.note("pay");
    Ok(order * 10)
}

#[idempotent(step = "ship")]
async fn ship(paid: u32, #[skip] log: &Log, #[skip] works: bool) -> Answer {
    log.note("ship");
    if !works {
        pending::<()>().await;
    }
    Ok(paid + 1)
}

#[tokio::test]
async fn completed_steps_do_not_run_again_and_child_keys_are_stable() {
    let log = Log::default();
    crash(fulfil(1, &log, false));
    assert_eq!(fulfil(1, &log, true).await, Ok(11));
    assert_eq!(fulfil(1, &log, false).await, Ok(11));
    let log = log.0.take();
    let events: Vec<&str> = log.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(events, ["fulfil", "pay", "ship", "fulfil", "ship"]);
    assert_eq!((&log[0], &log[2]), (&log[3], &log[4]), "both runs have equal child keys");
    let keys: std::collections::HashSet<&str> =
        log.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(keys.len(), 3, "each step has a separate key");
    assert!(keys.iter().all(|key| key.len() == 32));
}

#[tokio::test]
async fn the_steps_of_two_calls_are_separate() {
    let log = Log::default();
    assert_eq!((fulfil(2, &log, true).await, fulfil(3, &log, true).await), (Ok(21), Ok(31)));
    assert_eq!(log.0.take().len(), 6);
}

#[test]
fn a_step_without_an_outer_call_is_rejected() {
    #[idempotent(step = "alone", error = |rejected| rejected)]
    fn alone(_id: u32) -> Result<u32, resilience::Rejected> {
        unreachable!("no key")
    }
    let rejected = alone(1).expect_err("no call");
    assert_eq!(rejected.kind(), RejectedKind::Idempotency(IdempotencyRejection::MissingKey));
    assert_eq!(rejected.name(), "alone");
    let why = std::error::Error::source(&rejected).expect("a reason").to_string();
    assert_eq!(why, "a `step` needs an idempotent call around it, to take its key");
}

#[test]
fn a_step_has_a_separate_fingerprint() {
    #[idempotent(key = id, scope = "global", fingerprint(), name = "steps.outer")]
    fn outer(id: u32, cents: u32) -> Answer {
        let paid = inner(cents);
        assert_eq!(
            inner(cents + 1),
            rejected_as(RejectedKind::Idempotency(IdempotencyRejection::KeyReused)),
            "another sum, in one call"
        );
        paid
    }
    #[idempotent(step = "inner")]
    fn inner(cents: u32) -> Answer {
        Ok(cents)
    }
    assert_eq!(outer(1, 5), Ok(5));
}

/// A step name is a text of the program, so the rules for keys of callers do not apply.
#[test]
fn a_step_has_any_name() {
    const LONG_KEYS: IdempotencyPolicy = IdempotencyPolicy::new("steps.long").min_key_length(8);

    #[idempotent(key = id, scope = "global", name = "steps.names")]
    fn outer(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(large(runs)? + pay(runs)? + shared(runs)? + large(runs)?)
    }
    #[idempotent(step = "größe")]
    fn large(#[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    #[idempotent(step = "pay", min_key_length = 8)]
    fn pay(#[skip] runs: &Runs) -> Answer {
        Ok(runs.next() * 10)
    }
    #[idempotent(step = "ship", policy = LONG_KEYS)]
    fn shared(#[skip] runs: &Runs) -> Answer {
        Ok(runs.next() * 100)
    }
    let runs = Runs::default();
    assert_eq!(outer(1, &runs), Ok(1 + 20 + 300 + 1));
    assert_eq!(runs.count(), 3);
}

/// The key of a step is the step name in the scope of the call.
#[test]
fn the_key_of_a_step_is_its_name() {
    #[idempotent(key = id, scope = "global", name = "steps.parent")]
    fn outer(id: u32) -> Answer {
        let outer = IdempotencyContext::current().expect("inside of a call").key();
        let policy = IdempotencyPolicy::new("inner step");
        let store = MemoryStore::new();
        let key = policy.key(&store, Scope::Parent(&outer), &"inner step").expect("a key");
        inner(key)
    }
    #[idempotent(step = "inner step")]
    fn inner(#[skip] key: RecordKey) -> Answer {
        assert_eq!(IdempotencyContext::current().expect("inside of a call").key(), key);
        Ok(7)
    }
    assert_eq!(outer(1), Ok(7));
}

#[test]
fn a_nested_step_belongs_to_the_inner_step() {
    #[idempotent(key = id, scope = "global", name = "steps.nested")]
    fn outer(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(leaf(runs)? + branch(runs)? + leaf(runs)?)
    }
    #[idempotent(step = "branch")]
    fn branch(#[skip] runs: &Runs) -> Answer {
        Ok(leaf(runs)? * 10)
    }
    #[idempotent(step = "leaf")]
    fn leaf(#[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!(outer(1, &runs), Ok(1 + 20 + 1));
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn the_context_exists_only_inside_the_body() {
    #[idempotent(key = id, scope = "global", name = "steps.current")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        let call = IdempotencyContext::current().expect("inside");
        assert_eq!((call.name(), call.attempt()), ("steps.current", runs.next()));
        tokio::task::yield_now().await;
        let again = IdempotencyContext::current().expect("still inside");
        assert_eq!((again.key(), again.fence()), (call.key(), call.fence()));
        if runs.count() == 1 {
            pending::<()>().await;
        }
        Ok(runs.count())
    }
    let runs = Runs::default();
    let mut first = Box::pin(call(1, &runs));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(IdempotencyContext::current().is_none(), "outside the body, during a wait");
    assert!(first.as_mut().poll(&mut context).is_pending());
    drop(first);
    assert_eq!(call(1, &runs).await, Ok(2));
    assert!(IdempotencyContext::current().is_none());
}

#[test]
fn an_unprotected_inner_call_sees_the_context_of_the_outer_call() {
    #[idempotent(key = id, scope = "global", optional_key, name = "steps.optional")]
    fn call(id: Option<u32>) -> Answer {
        Ok(u32::from(IdempotencyContext::current().is_some()))
    }
    assert_eq!((call(None), call(Some(1))), (Ok(0), Ok(1)));
}

#[test]
fn the_future_contains_the_body_once() {
    #[idempotent(key = 1, scope = "global", name = "steps.small")]
    async fn small() -> Answer {
        std::future::ready(Ok(1)).await
    }
    #[idempotent(key = 1, scope = "global", name = "steps.large")]
    async fn large() -> Answer {
        let bytes = std::hint::black_box([1_u8; 8192]);
        pending::<()>().await;
        Ok(bytes[0].into())
    }
    let (small, large) = (size_of_val(&small()), size_of_val(&large()));
    assert!(large < small + 8192 + 512, "{small} and {large} bytes");
}
