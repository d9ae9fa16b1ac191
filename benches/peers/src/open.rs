//! A breaker open for a year: the call is rejected.

use std::time::Duration;

use failsafe::backoff;
use failsafe::failure_policy::consecutive_failures;
use recloser::Recloser;
use resilience::circuit_breaker;
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use crate::windows::{seatbelt, tower};
use crate::{Result, Row, fails, poll, repeat};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const NAME: &str = "breaker open";

pub(crate) const SYNC: &[Row] = &[
    Row {
        name: NAME,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, ours),
    },
    Row {
        name: NAME,
        subject: "failsafe",
        run: |calls| {
            let policy = consecutive_failures(1, backoff::constant(YEAR));
            let breaker = failsafe::Config::new().failure_policy(policy).build();
            repeat(calls, |input| by_failsafe(&breaker, input));
        },
    },
    Row {
        name: NAME,
        subject: "nobreak",
        run: |calls| {
            let breaker = nobreak::builder().with_failure_threshold(1).with_open_duration(YEAR);
            let breaker = breaker.build();
            repeat(calls, |input| by_nobreak(&breaker, input));
        },
    },
    Row {
        name: NAME,
        subject: "recloser",
        run: |calls| {
            let breaker = Recloser::custom().closed_len(1).open_wait(YEAR).build();
            repeat(calls, |input| by_recloser(&breaker, input));
        },
    },
];

const NAME_ASYNC: &str = "breaker open, async";

pub(crate) const ASYNC: &[Row] = &[
    Row {
        name: NAME_ASYNC,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, |input| poll(ours_async(input))),
    },
    Row {
        name: NAME_ASYNC,
        subject: "seatbelt",
        run: |calls| seatbelt(calls, |input| async move { fails(input) }),
    },
    Row {
        name: NAME_ASYNC,
        subject: "tower-resilience",
        run: |calls| {
            let layer = CircuitBreakerLayer::builder().consecutive_failures(1);
            let layer = layer.wait_duration_in_open(YEAR).build().expect("valid settings");
            tower(calls, &layer, |input| async move { fails(input) });
        },
    },
];

#[inline(never)]
#[circuit_breaker(failure_threshold = 1, reset_timeout = "365d")]
fn ours(input: u32) -> Result<u32> {
    fails(input)
}

#[circuit_breaker(failure_threshold = 1, reset_timeout = "365d")]
async fn ours_async(input: u32) -> Result<u32> {
    fails(input)
}

#[inline(never)]
fn by_failsafe(
    breaker: &impl failsafe::CircuitBreaker,
    input: u32,
) -> std::result::Result<u32, failsafe::Error<crate::Failure>> {
    breaker.call(|| fails(input))
}

#[inline(never)]
fn by_nobreak(
    breaker: &nobreak::CircuitBreaker,
    input: u32,
) -> std::result::Result<u32, nobreak::CircuitError<crate::Failure>> {
    breaker.call(|| fails(input))
}

#[inline(never)]
fn by_recloser(
    breaker: &Recloser,
    input: u32,
) -> std::result::Result<u32, recloser::Error<crate::Failure>> {
    breaker.call(|| fails(input))
}
