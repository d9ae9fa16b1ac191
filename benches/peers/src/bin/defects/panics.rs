//! A body that panics at each call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use failsafe::CircuitBreaker as _;
use failsafe::backoff;
use failsafe::failure_policy::consecutive_failures;
use layered::{Execute, Service as _, Stack as _};
use recloser::Recloser;
use resilience::CircuitBreaker;
use seatbelt::breaker::Breaker;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Service as _, ServiceExt as _};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use crate::Defect;
use crate::breakers::{Down, ready};

const OPEN: Duration = Duration::from_secs(60);

pub(crate) fn all() -> Vec<Defect> {
    const IN_A_ROW: &str = "the body panics 100 times, 5 failures open: bodies that ran";
    const BY_RATE: &str = "the body panics 100 times, half of 5 calls open: bodies that ran";
    let in_a_row = ours(&CircuitBreaker::new().failure_threshold(5));
    let by_calls = ours(&CircuitBreaker::new().failure_rate(0.5).count_window(5).min_calls(5));
    let by_time = CircuitBreaker::new().failure_rate(0.5).min_calls(5);
    let by_time = ours(&by_time.time_window(Duration::from_secs(10)));
    [
        ("failsafe 1.3", IN_A_ROW, of_failsafe(), in_a_row),
        ("recloser 1.4", BY_RATE, of_recloser(), by_calls),
        ("seatbelt 0.11", BY_RATE, of_seatbelt(), by_time),
        ("tower-resilience 0.14", IN_A_ROW, of_tower_resilience(), in_a_row),
    ]
    .map(|(peer, setup, theirs, ours)| {
        Defect::new((peer, setup), theirs, ours, theirs == 100 && ours == 5)
    })
    .into()
}

/// Returns how many bodies of 100 calls run.
fn bodies<T>(mut call: impl FnMut(&Arc<AtomicU32>) -> T) -> u32 {
    let ran = Arc::default();
    for _ in 0..100 {
        let _ = catch_unwind(AssertUnwindSafe(|| call(&ran)));
    }
    ran.load(Relaxed)
}

fn bug(ran: &AtomicU32) -> Result<u32, Down> {
    ran.fetch_add(1, Relaxed);
    panic!("a bug")
}

fn ours(breaker: &CircuitBreaker) -> u32 {
    bodies(|ran| breaker.run(|| bug(ran)))
}

fn of_failsafe() -> u32 {
    let policy = consecutive_failures(5, backoff::constant(OPEN));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    bodies(|ran| breaker.call(|| bug(ran)))
}

fn of_recloser() -> u32 {
    let breaker = Recloser::custom().error_rate(0.5).closed_len(5).open_wait(OPEN).build();
    bodies(|ran| breaker.call(|| bug(ran)))
}

fn of_seatbelt() -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let clock = runtime.block_on(async { tick::Clock::new_tokio() });
    let context = ResilienceContext::<Arc<AtomicU32>, Result<u32, Down>>::new(&clock);
    let layer = Breaker::layer("breaker", &context)
        .recovery_with(|result: &Result<u32, Down>, _| match result {
            Ok(_) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| Down)
        .failure_threshold(0.5)
        .min_throughput(5)
        .sampling_duration(Duration::from_secs(10))
        .break_duration(OPEN);
    let service =
        (layer, Execute::new(|ran: Arc<AtomicU32>| async move { bug(&ran) })).into_service();
    bodies(|ran| ready(service.execute(Arc::clone(ran))))
}

fn of_tower_resilience() -> u32 {
    let layer = CircuitBreakerLayer::builder()
        .consecutive_failures(5)
        .wait_duration_in_open(OPEN)
        .build()
        .expect("valid settings");
    let mut service =
        layer.layer_fn(tower::service_fn(|ran: Arc<AtomicU32>| async move { bug(&ran) }));
    bodies(|ran| ready(async { service.ready().await?.call(Arc::clone(ran)).await }))
}
