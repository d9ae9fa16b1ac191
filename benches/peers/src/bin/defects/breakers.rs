//! Circuit breakers.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::Duration;

use failsafe::CircuitBreaker as _;
use failsafe::backoff;
use failsafe::failure_policy::consecutive_failures;
use layered::{Execute, Service as _, Stack as _};
use recloser::Recloser;
use resilience::{CircuitBreaker, CircuitState, Rejected};
use seatbelt::breaker::Breaker;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Service as _, ServiceExt as _};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

use crate::Defect;
use crate::delays::counting;

const OPEN: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
struct Down;

impl From<Rejected> for Down {
    fn from(_: Rejected) -> Self {
        Self
    }
}

pub(crate) fn all() -> Vec<Defect> {
    let mut defects = half_open_calls();
    defects.extend(late_results());
    defects.extend([window_of_calls(), wedged_half_open(), panics_of_failsafe()]);
    defects.push(panics_of_seatbelt());
    defects
}

/// Polls a future that is ready at once.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match poll(pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the future is ready at once"),
    }
}

/// Calls `call` inside itself, as concurrent callers would.
fn nested<E>(depth: u32, ran: &Cell<u32>, call: &impl Fn(&dyn Fn()) -> Result<(), E>) {
    if depth > 0 {
        let _ = call(&|| {
            counting(ran, ());
            nested(depth - 1, ran, call);
        });
    }
}

fn half_open_calls() -> Vec<Defect> {
    const CALLERS: u32 = 50;
    const SETUP: &str = "half-open, 50 concurrent calls: admitted";
    let ours = {
        let ran = Cell::new(0);
        let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(OPEN).jitter(0.0);
        let _: Result<(), Down> = breaker.run(|| Err(Down));
        sleep(2 * OPEN);
        nested(CALLERS, &ran, &|body| {
            breaker.run(|| {
                body();
                Ok::<_, Down>(())
            })
        });
        ran.get()
    };
    let failsafe = {
        let ran = Cell::new(0);
        let policy = consecutive_failures(1, backoff::constant(OPEN));
        let breaker = failsafe::Config::new().failure_policy(policy).build();
        let _ = breaker.call(|| Err::<(), _>(Down));
        sleep(2 * OPEN);
        nested(CALLERS, &ran, &|body| {
            breaker.call(|| {
                body();
                Ok::<_, Down>(())
            })
        });
        ran.get()
    };
    let recloser = {
        let ran = Cell::new(0);
        let breaker = Recloser::custom().closed_len(1).half_open_len(1).open_wait(OPEN).build();
        for _ in 0..3 {
            let _ = breaker.call(|| Err::<(), _>(Down));
        }
        sleep(2 * OPEN);
        nested(CALLERS, &ran, &|body| {
            breaker.call(|| {
                body();
                Ok::<_, Down>(())
            })
        });
        ran.get()
    };
    let nobreak = {
        let ran = Cell::new(0);
        let builder = nobreak::builder().with_failure_threshold(1).with_open_duration(OPEN);
        let breaker = builder.build();
        let _ = breaker.call(|| Err::<(), _>(Down));
        sleep(2 * OPEN);
        nested(CALLERS, &ran, &|body| {
            breaker.call(|| {
                body();
                Ok::<_, Down>(())
            })
        });
        ran.get()
    };
    [("failsafe 1.3", failsafe), ("recloser 1.4", recloser), ("nobreak 0.1", nobreak)]
        .map(|(peer, theirs)| Defect::new((peer, SETUP), theirs, ours, theirs == 50 && ours == 1))
        .into()
}

/// A call starts while the circuit is closed, and succeeds while another call is the trial call.
/// The trial call has no outcome yet, so the circuit must stay half-open.
fn late_results() -> Vec<Defect> {
    const SETUP: &str = "a call from before the opening succeeds beside the trial call: circuit";
    let state = |is_closed: bool| if is_closed { "closed" } else { "half-open" };
    let ours = {
        let breaker = CircuitBreaker::new().failure_threshold(3).reset_timeout(OPEN).jitter(0.0);
        let late = Gate::default();
        let mut late_call = pin!(breaker.run_async(late.pass()));
        let _ = poll(late_call.as_mut());
        for _ in 0..3 {
            let _: Result<(), Down> = breaker.run(|| Err(Down));
        }
        sleep(2 * OPEN);
        let trial = Gate::default();
        let mut trial_call = pin!(breaker.run_async(trial.pass()));
        let _ = poll(trial_call.as_mut());
        late.open();
        let _ = poll(late_call.as_mut());
        breaker.state() == CircuitState::Closed
    };
    let failsafe = {
        use failsafe::futures::CircuitBreaker;
        let policy = consecutive_failures(3, backoff::constant(OPEN));
        let breaker = failsafe::Config::new().failure_policy(policy).build();
        let late = Gate::default();
        let mut late_call = pin!(CircuitBreaker::call(&breaker, late.pass()));
        let _ = poll(late_call.as_mut());
        for _ in 0..3 {
            let _ = ready(CircuitBreaker::call(&breaker, async { Err::<(), _>(Down) }));
        }
        sleep(2 * OPEN);
        let trial = Gate::default();
        let mut trial_call = pin!(CircuitBreaker::call(&breaker, trial.pass()));
        let _ = poll(trial_call.as_mut());
        late.open();
        let _ = poll(late_call.as_mut());
        // A closed circuit stays closed after one failure, and a half-open one opens.
        let _ = ready(CircuitBreaker::call(&breaker, async { Err::<(), _>(Down) }));
        failsafe::CircuitBreaker::is_call_permitted(&breaker)
    };
    vec![Defect::new(("failsafe 1.3", SETUP), state(failsafe), state(ours), failsafe && !ours)]
}

/// A body that ends when the gate is open.
#[derive(Default)]
struct Gate(Cell<bool>);

impl Gate {
    fn open(&self) {
        self.0.set(true);
    }

    fn pass(&self) -> impl Future<Output = Result<(), Down>> {
        std::future::poll_fn(|_| if self.0.get() { Poll::Ready(Ok(())) } else { Poll::Pending })
    }
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
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

/// A body with a bug.
fn bug() -> Result<u32, Down> {
    panic!("a bug")
}

fn panics_of_failsafe() -> Defect {
    let policy = consecutive_failures(5, backoff::constant(Duration::from_secs(60)));
    let theirs = failsafe::Config::new().failure_policy(policy).build();
    let ours = CircuitBreaker::new().failure_threshold(5);
    let (mut ran_theirs, mut ran_ours) = (0, 0);
    for _ in 0..100 {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            theirs.call(|| {
                ran_theirs += 1;
                bug()
            })
        }));
        let _ = catch_unwind(AssertUnwindSafe(|| {
            ours.run(|| {
                ran_ours += 1;
                bug()
            })
        }));
    }
    Defect::new(
        ("failsafe 1.3", "the body panics 100 times, 5 failures open: bodies that ran"),
        ran_theirs,
        ran_ours,
        ran_theirs == 100 && ran_ours == 5,
    )
}

fn panics_of_seatbelt() -> Defect {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let clock = runtime.block_on(async { tick::Clock::new_tokio() });
    let context = ResilienceContext::<u32, Result<u32, Down>>::new(&clock);
    let layer = Breaker::layer("breaker", &context)
        .recovery_with(|result: &Result<u32, Down>, _| match result {
            Ok(_) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| Down)
        .failure_threshold(0.5)
        .min_throughput(5)
        .sampling_duration(Duration::from_secs(10))
        .break_duration(Duration::from_secs(60));
    let ran = Arc::new(AtomicU32::new(0));
    let body = Arc::clone(&ran);
    let service = (
        layer,
        Execute::new(move |_: u32| {
            let body = Arc::clone(&body);
            async move {
                body.fetch_add(1, Relaxed);
                bug()
            }
        }),
    )
        .into_service();
    let ours =
        CircuitBreaker::new().failure_rate(0.5).min_calls(5).time_window(Duration::from_secs(10));
    let mut ran_ours = 0;
    for _ in 0..100 {
        let _ = catch_unwind(AssertUnwindSafe(|| ready(service.execute(0))));
        let _ = catch_unwind(AssertUnwindSafe(|| {
            ours.run(|| {
                ran_ours += 1;
                bug()
            })
        }));
    }
    let ran_theirs = ran.load(Relaxed);
    Defect::new(
        ("seatbelt 0.11", "the body panics 100 times, half of 5 calls open: bodies that ran"),
        ran_theirs,
        ran_ours,
        ran_theirs == 100 && ran_ours == 5,
    )
}
