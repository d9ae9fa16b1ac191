//! A closed breaker that opens after five failures in a row. `recloser` has no such rule and uses
//! a ring of calls, as the subject states.

use std::sync::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed};
use std::time::Duration;

use failsafe::backoff::{self, Constant};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::{Config, StateMachine};
use recloser::{AsyncRecloser, Recloser};
use resilience::{CircuitBreaker, circuit_breaker};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use crate::{Failure, Result, Row, poll, repeat, work, work_async};

pub(crate) type Failsafe = StateMachine<ConsecutiveFailures<Constant>, ()>;

pub(crate) const OPEN: Duration = Duration::from_secs(30);

const NAME: &str = "breaker closed, failures in a row";

pub(crate) const SYNC: &[Row] = &[
    Row {
        name: NAME,
        subject: "by hand: a count in an atomic",
        run: |calls| repeat(calls, by_hand),
    },
    Row {
        name: NAME,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, ours),
    },
    Row {
        name: NAME,
        subject: "resilience `CircuitBreaker::run`",
        run: |calls| {
            let breaker = CircuitBreaker::new();
            repeat(calls, |input| ours_called(&breaker, input));
        },
    },
    Row {
        name: NAME,
        subject: "failsafe",
        run: |calls| {
            let breaker = failsafe();
            repeat(calls, |input| failsafe_called(&breaker, input));
        },
    },
    Row {
        name: NAME,
        subject: "nobreak",
        run: |calls| {
            let breaker = nobreak::breaker();
            repeat(calls, |input| nobreak_called(&breaker, input));
        },
    },
    Row {
        name: NAME,
        subject: "recloser (a ring of 5 calls)",
        run: |calls| {
            let breaker = Recloser::custom().error_rate(1.0).closed_len(5).build();
            repeat(calls, |input| recloser_called(&breaker, input));
        },
    },
];

const NAME_ASYNC: &str = "breaker closed, failures in a row, async";

pub(crate) const ASYNC: &[Row] = &[
    Row {
        name: NAME_ASYNC,
        subject: "by hand: a count in an atomic",
        run: |calls| repeat(calls, |input| poll(by_hand_async(input))),
    },
    Row {
        name: NAME_ASYNC,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, |input| poll(ours_async(input))),
    },
    Row {
        name: NAME_ASYNC,
        subject: "resilience `CircuitBreaker::run_async`",
        run: |calls| {
            let breaker = CircuitBreaker::new();
            repeat(calls, |input| poll(breaker.run_async(work_async(input))));
        },
    },
    Row {
        name: NAME_ASYNC,
        subject: "failsafe",
        run: |calls| {
            let breaker = failsafe();
            repeat(calls, |input| {
                poll(failsafe::futures::CircuitBreaker::call(&breaker, work_async(input)))
            });
        },
    },
    Row {
        name: NAME_ASYNC,
        subject: "nobreak",
        run: |calls| {
            let breaker = nobreak::breaker();
            repeat(calls, |input| poll(breaker.call_async(|| work_async(input))));
        },
    },
    Row {
        name: NAME_ASYNC,
        subject: "recloser (a ring of 5 calls)",
        run: |calls| {
            let breaker = Recloser::custom().error_rate(1.0).closed_len(5).build();
            let breaker = AsyncRecloser::from(breaker);
            repeat(calls, |input| poll(breaker.call(work_async(input))));
        },
    },
    Row {
        name: NAME_ASYNC,
        subject: "tower-resilience",
        run: |calls| {
            let layer = CircuitBreakerLayer::builder().consecutive_failures(5);
            crate::windows::tower(calls, &layer.build().expect("valid settings"), work_async);
        },
    },
];

/// Opens after five failures in a row and, for brevity, never closes again.
#[derive(Debug)]
struct Counter(AtomicU32);

impl Counter {
    #[inline(always)]
    fn is_open(&self) -> bool {
        self.0.load(Acquire) >= 5
    }

    #[inline(always)]
    fn record<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.0.fetch_add(1, Relaxed);
        } else if self.0.load(Relaxed) != 0 {
            self.0.store(0, Relaxed);
        }
        result
    }
}

#[inline(never)]
pub(crate) fn by_hand(input: u32) -> Result<u32> {
    static COUNTER: Counter = Counter(AtomicU32::new(0));
    if COUNTER.is_open() {
        return Err(Failure::Rejected);
    }
    COUNTER.record(work(input))
}

#[inline(never)]
#[circuit_breaker]
pub(crate) fn ours(input: u32) -> Result<u32> {
    work(input)
}

#[inline(never)]
fn ours_called(breaker: &CircuitBreaker, input: u32) -> Result<u32> {
    breaker.run(|| work(input))
}

pub(crate) fn failsafe() -> Failsafe {
    Config::new().failure_policy(consecutive_failures(5, backoff::constant(OPEN))).build()
}

#[inline(never)]
pub(crate) fn failsafe_called(
    breaker: &impl failsafe::CircuitBreaker,
    input: u32,
) -> std::result::Result<u32, failsafe::Error<Failure>> {
    breaker.call(|| work(input))
}

#[inline(never)]
pub(crate) fn nobreak_called(
    breaker: &nobreak::CircuitBreaker,
    input: u32,
) -> std::result::Result<u32, nobreak::CircuitError<Failure>> {
    breaker.call(|| work(input))
}

#[inline(never)]
pub(crate) fn recloser_called(
    breaker: &Recloser,
    input: u32,
) -> std::result::Result<u32, recloser::Error<Failure>> {
    breaker.call(|| work(input))
}

async fn by_hand_async(input: u32) -> Result<u32> {
    static COUNTER: Counter = Counter(AtomicU32::new(0));
    if COUNTER.is_open() {
        return Err(Failure::Rejected);
    }
    COUNTER.record(work_async(input).await)
}

#[circuit_breaker]
async fn ours_async(input: u32) -> Result<u32> {
    work_async(input).await
}
