//! Two calls start while the circuit is closed, and succeed while another call is the trial call.
//! The trial call has no outcome yet, so the circuit must stay half-open.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::thread::sleep;

use failsafe::backoff;
use failsafe::failure_policy::consecutive_failures;
use recloser::{AsyncRecloser, Recloser};
use resilience::{CircuitBreaker, CircuitState};
use tower::{Service as _, ServiceExt as _};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};

use crate::Defect;
use crate::breakers::{Down, OPEN, poll, ready};

pub(crate) fn all() -> Vec<Defect> {
    const SETUP: &str = "two calls from before the opening succeed beside the trial call: circuit";
    let state = |is_closed: bool| if is_closed { "closed" } else { "half-open" };
    let ours = ours();
    let peers = [
        ("failsafe 1.3", of_failsafe()),
        ("recloser 1.4", of_recloser()),
        ("tower-resilience 0.14", of_tower_resilience()),
    ];
    peers
        .map(|(peer, theirs)| {
            Defect::new((peer, SETUP), state(theirs), state(ours), theirs && !ours)
        })
        .into()
}

/// A body that ends when the gate is open.
#[derive(Clone, Default)]
struct Gate(Arc<AtomicBool>);

impl Gate {
    fn open(&self) {
        self.0.store(true, Relaxed);
    }

    fn pass(&self) -> impl Future<Output = Result<(), Down>> + Send + 'static {
        let is_open = Arc::clone(&self.0);
        std::future::poll_fn(move |_| {
            if is_open.load(Relaxed) { Poll::Ready(Ok(())) } else { Poll::Pending }
        })
    }
}

/// Runs the calls with `call`, which gets `None` for a call that fails at once.
fn run<F: Future>(mut call: impl FnMut(Option<Gate>) -> F) {
    let (late, trial) = (Gate::default(), Gate::default());
    let mut first = pin!(call(Some(late.clone())));
    let mut second = pin!(call(Some(late.clone())));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    for _ in 0..4 {
        ready(call(None));
    }
    sleep(2 * OPEN);
    let mut trial_call = pin!(call(Some(trial)));
    assert!(poll(trial_call.as_mut()).is_pending());
    late.open();
    assert!(poll(first).is_ready() && poll(second).is_ready());
    // A closed circuit stays closed after one failure, and a half-open one opens.
    ready(call(None));
}

async fn body(gate: Option<Gate>) -> Result<(), Down> {
    match gate {
        Some(gate) => gate.pass().await,
        None => Err(Down),
    }
}

fn ours() -> bool {
    let breaker = CircuitBreaker::new().failure_threshold(3).reset_timeout(OPEN).jitter(0.0);
    run(|gate| breaker.run_async(body(gate)));
    breaker.state() == CircuitState::Closed
}

fn of_failsafe() -> bool {
    let policy = consecutive_failures(3, backoff::constant(OPEN));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    run(|gate| failsafe::futures::CircuitBreaker::call(&breaker, body(gate)));
    failsafe::CircuitBreaker::is_call_permitted(&breaker)
}

fn of_recloser() -> bool {
    let breaker = Recloser::custom().closed_len(3).half_open_len(1).open_wait(OPEN).build();
    let breaker = AsyncRecloser::from(breaker);
    run(|gate| breaker.call(body(gate)));
    matches!(ready(breaker.call(body(None))), Err(recloser::Error::Inner(Down)))
}

fn of_tower_resilience() -> bool {
    let layer = CircuitBreakerLayer::builder()
        .consecutive_failures(3)
        .wait_duration_in_open(OPEN)
        .permitted_calls_in_half_open(1)
        .build()
        .expect("valid settings");
    let service = layer.layer_fn(tower::service_fn(body));
    let call = |gate| {
        let mut service = service.clone();
        async move { service.ready().await?.call(gate).await }
    };
    run(call);
    matches!(ready(call(None)), Err(CircuitBreakerError::Inner(Down)))
}
