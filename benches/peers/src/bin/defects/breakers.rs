//! Circuit breakers.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread::{self, sleep};
use std::time::Duration;

use failsafe::CircuitBreaker as _;
use failsafe::backoff;
use failsafe::failure_policy::consecutive_failures;
use recloser::Recloser;
use resilience::{CircuitBreaker, CircuitState, Rejected};
use tower::{Service as _, ServiceExt as _};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

use crate::Defect;

pub(crate) const OPEN: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub(crate) struct Down;

impl From<Rejected> for Down {
    fn from(_: Rejected) -> Self {
        Self
    }
}

pub(crate) fn all() -> Vec<Defect> {
    let mut defects = half_open_calls();
    defects.extend([window_of_calls(), wedged_half_open()]);
    defects
}

/// Polls a future that is ready at once.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match poll(pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the future is ready at once"),
    }
}

/// Runs `call` in threads at the same time, and returns the number of bodies that run. A body ends
/// after every other call has run its body or was rejected.
fn concurrent<E>(callers: usize, call: impl Fn(&dyn Fn()) -> Result<(), E> + Sync) -> u32 {
    let (ran, everyone) = (AtomicU32::new(0), Barrier::new(callers));
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                let is_admitted = Cell::new(false);
                let _ = call(&|| {
                    is_admitted.set(true);
                    ran.fetch_add(1, Relaxed);
                    everyone.wait();
                });
                if !is_admitted.get() {
                    everyone.wait();
                }
            });
        }
    });
    ran.into_inner()
}

fn half_open_calls() -> Vec<Defect> {
    const CALLERS: usize = 50;
    const SETUP: &str = "half-open, 50 concurrent calls: admitted";
    let ours = {
        let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(OPEN).jitter(0.0);
        let _: Result<(), Down> = breaker.run(|| Err(Down));
        sleep(2 * OPEN);
        concurrent(CALLERS, |body| {
            breaker.run(|| {
                body();
                Ok::<_, Down>(())
            })
        })
    };
    let failsafe = {
        let policy = consecutive_failures(1, backoff::constant(OPEN));
        let breaker = failsafe::Config::new().failure_policy(policy).build();
        let _ = breaker.call(|| Err::<(), _>(Down));
        sleep(2 * OPEN);
        concurrent(CALLERS, |body| {
            breaker.call(|| {
                body();
                Ok::<_, Down>(())
            })
        })
    };
    let recloser = {
        let breaker = Recloser::custom().closed_len(1).half_open_len(1).open_wait(OPEN).build();
        for _ in 0..3 {
            let _ = breaker.call(|| Err::<(), _>(Down));
        }
        sleep(2 * OPEN);
        concurrent(CALLERS, |body| {
            breaker.call(|| {
                body();
                Ok::<_, Down>(())
            })
        })
    };
    let nobreak = {
        let builder = nobreak::builder().with_failure_threshold(1).with_open_duration(OPEN);
        let breaker = builder.build();
        let _ = breaker.call(|| Err::<(), _>(Down));
        sleep(2 * OPEN);
        concurrent(CALLERS, |body| {
            breaker.call(|| {
                body();
                Ok::<_, Down>(())
            })
        })
    };
    [("failsafe 1.3", failsafe), ("recloser 1.4", recloser), ("nobreak 0.1", nobreak)]
        .map(|(peer, theirs)| Defect::new((peer, SETUP), theirs, ours, theirs == 50 && ours == 1))
        .into()
}

pub(crate) fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn window_of_calls() -> Defect {
    const SUCCESSES: u32 = 1000;
    let layer = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(10)
        .minimum_number_of_calls(10)
        .build()
        .expect("valid settings");
    let is_down = Arc::new(AtomicBool::new(false));
    let body = Arc::clone(&is_down);
    let mut service = layer.layer_fn(tower::service_fn(move |(): ()| {
        let is_down = body.load(Relaxed);
        async move { if is_down { Err(Down) } else { Ok(()) } }
    }));
    let mut call = || ready(async { service.ready().await?.call(()).await });
    for _ in 0..SUCCESSES {
        let _ = call();
    }
    is_down.store(true, Relaxed);
    // A rejection is not the error of the service.
    let theirs = (1..=10 * SUCCESSES).find(|_| {
        call().is_err_and(|error| format!("{error:?}") != format!("{:?}", inner_error()))
    });
    let breaker = CircuitBreaker::new().failure_rate(0.5).count_window(10).min_calls(10);
    for _ in 0..SUCCESSES {
        let _: Result<(), Down> = breaker.run(|| Ok(()));
    }
    let ours = (1..=10 * SUCCESSES).find(|_| {
        let _: Result<(), Down> = breaker.run(|| Err(Down));
        breaker.state() == CircuitState::Open
    });
    let text = |failures: Option<u32>| failures.map_or("never".to_owned(), |n| n.to_string());
    Defect::new(
        ("tower-resilience 0.14", "window of 10 calls, 1000 successes: failures until open"),
        text(theirs),
        text(ours),
        theirs.is_none_or(|failures| failures > 100) && ours.is_some_and(|failures| failures <= 10),
    )
}

fn inner_error() -> tower_resilience_circuitbreaker::CircuitBreakerError<Down> {
    tower_resilience_circuitbreaker::CircuitBreakerError::Inner(Down)
}

/// Two trial calls are permitted, and the time between trial calls exceeds the window.
fn wedged_half_open() -> Defect {
    const PAUSE: Duration = Duration::from_millis(60);
    const CALLS: u32 = 20;
    let layer = CircuitBreakerLayer::builder()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(Duration::from_millis(30))
        .minimum_number_of_calls(1)
        .permitted_calls_in_half_open(2)
        .wait_duration_in_open(OPEN)
        .build()
        .expect("valid settings");
    let is_down = Arc::new(AtomicBool::new(true));
    let body = Arc::clone(&is_down);
    let mut service = layer.layer_fn(tower::service_fn(move |(): ()| {
        let is_down = body.load(Relaxed);
        async move { if is_down { Err(Down) } else { Ok(()) } }
    }));
    let mut call = || ready(async { service.ready().await?.call(()).await });
    let _ = call();
    is_down.store(false, Relaxed);
    let mut theirs = 0;
    for _ in 0..CALLS {
        sleep(PAUSE);
        theirs += u32::from(call().is_ok());
    }
    let clock = resilience::testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_rate(0.5)
        .time_window(Duration::from_millis(30))
        .min_calls(1)
        .success_threshold(2)
        .reset_timeout(OPEN);
    let _: Result<(), Down> = breaker.run(|| Err(Down));
    let mut ours = 0;
    for _ in 0..CALLS {
        clock.advance(PAUSE);
        ours += u32::from(breaker.run(|| Ok::<_, Down>(())).is_ok());
    }
    Defect::new(
        ("tower-resilience 0.14", "trial calls further apart than the window: of 20, admitted"),
        theirs,
        ours,
        theirs < 5 && ours == CALLS,
    )
}
