//! Subscriptions to changes, and waits for a closed circuit.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use resilience::{
    ChangeReason, CircuitBreaker, CircuitState, FailureClass, FailureKind, Rejected, StateChange,
    circuit_breaker, circuit_changes, circuit_closed, control, register,
};

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_subscription_receives_the_changes_of_matching_names_in_order() {
    #[circuit_breaker(failure_threshold = 1, key = key, key_label = key, name = "changes::keyed")]
    fn call(key: &str) -> Option<u32> {
        None
    }
    let mut changes = circuit_changes("changes::*");
    let other = CircuitBreaker::new().name("other::breaker");
    let hand = CircuitBreaker::new().name("changes::hand");
    other.trip();
    hand.trip();
    hand.force_close();
    call("eu");
    let mut seen = Vec::new();
    while let Some(change) = changes.try_next() {
        seen.push((change.name, change.key, change.to, change.reason, change.number));
    }
    let failure = ChangeReason::Failure(FailureKind::Transient);
    assert_eq!(
        seen,
        [
            ("changes::hand", None, CircuitState::Open, ChangeReason::Manual, 1),
            ("changes::hand", None, CircuitState::Closed, ChangeReason::Manual, 2),
            ("changes::keyed", Some("eu".into()), CircuitState::Open, failure, 1),
        ]
    );
    assert_eq!(changes.lost(), 0);
}

#[test]
fn a_subscription_and_a_hook_receive_equal_changes() {
    let hooked = Arc::<Mutex<Vec<StateChange>>>::default();
    let seen = Arc::clone(&hooked);
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .on_state_change_with(move |change| seen.lock().expect("no panic").push(change.clone()))
        .name("equal::breaker");
    let mut changes = circuit_changes("equal::breaker");
    breaker.try_acquire().expect("closed").report(FailureClass::transient(), &"refused");
    breaker.reset();
    let received: Vec<_> = std::iter::from_fn(|| changes.try_next()).collect();
    assert_eq!(received, *hooked.lock().expect("no panic"));
    assert_eq!(received[0].cause.as_deref(), Some("refused"));
    assert!(received[0].at.elapsed().is_ok_and(|age| age.as_secs() < 600));
}

#[test]
fn a_slow_subscriber_loses_the_oldest_changes_and_knows_how_many() {
    let breaker = CircuitBreaker::new().name("lossy::breaker");
    let mut changes = circuit_changes("lossy::breaker");
    for _ in 0..200 {
        breaker.force_open();
        breaker.force_close();
    }
    assert_eq!(changes.lost(), 400 - 256);
    assert_eq!(changes.lost(), 0);
    let first = changes.try_next().expect("a change");
    assert_eq!(first.number, 400 - 256 + 1);
    let rest = std::iter::from_fn(|| changes.try_next()).count();
    assert_eq!((rest, changes.lost()), (255, 0));
}

#[test]
fn a_change_wakes_the_subscriber_and_a_dropped_subscription_ends() {
    let breaker = CircuitBreaker::new().name("wakes::breaker");
    let count = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let mut changes = circuit_changes("wakes::*");
    assert!(pin!(changes.next()).poll(&mut cx).is_pending());
    breaker.trip();
    assert_eq!(count.0.load(Relaxed), 1);
    assert!(pin!(changes.next()).poll(&mut cx).is_ready());
    drop(changes);
    breaker.force_close();
    assert_eq!(count.0.load(Relaxed), 1);
}

#[test]
fn a_wait_ends_when_the_circuit_closes_and_at_once_if_none_is_open() {
    static API: CircuitBreaker = CircuitBreaker::new().name("closing::api");
    register(&API);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(circuit_closed("closing::api")).poll(&mut cx).is_ready());
    assert!(pin!(circuit_closed("closing::unknown")).poll(&mut cx).is_ready());
    API.force_open();
    let mut by_name = pin!(circuit_closed("closing::*"));
    let mut by_hand = pin!(API.closed());
    assert!(by_name.as_mut().poll(&mut cx).is_pending());
    assert!(by_hand.as_mut().poll(&mut cx).is_pending());
    API.probe();
    assert!(by_name.as_mut().poll(&mut cx).is_pending());
    API.try_acquire().expect("a trial call").success();
    assert!(by_name.as_mut().poll(&mut cx).is_ready());
    assert!(by_hand.as_mut().poll(&mut cx).is_ready());
}

#[tokio::test]
async fn a_task_waits_for_a_circuit_of_a_function() {
    #[circuit_breaker(failure_threshold = 1, name = "waiting::function")]
    fn call(works: bool) -> Result<(), Rejected> {
        if works { Ok(()) } else { Err(Rejected::timed_out("body", std::time::Duration::ZERO)) }
    }
    let _ = call(false);
    let waiting = tokio::spawn(circuit_closed("waiting::function"));
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    circuit_breaker("waiting::function").expect("listed").force_close();
    waiting.await.expect("the wait ends");
}

#[test]
fn a_dropped_subscription_leaves_the_other_subscriptions() {
    let breaker = CircuitBreaker::new().name("changes_left::breaker");
    let mut kept = circuit_changes("changes_left::*");
    drop(circuit_changes("changes_left::*"));
    breaker.trip();
    assert_eq!(kept.try_next().map(|change| change.to), Some(CircuitState::Open));
}

#[test]
fn a_wait_by_name_covers_the_keys_of_a_breaker() {
    #[circuit_breaker(failure_threshold = 1, key = key, key_label = key, name = "closing::keyed")]
    fn call(key: &str, works: bool) -> Option<u32> {
        works.then_some(1)
    }
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(call("eu", true), Some(1));
    assert!(pin!(circuit_closed("closing::keyed")).poll(&mut cx).is_ready());
    call("us", false);
    let mut wait = pin!(circuit_closed("closing::keyed"));
    assert!(wait.as_mut().poll(&mut cx).is_pending());
    control("closing::keyed").key("us").release().expect("a key");
    assert!(wait.as_mut().poll(&mut cx).is_ready());
}
