//! A closed breaker that opens at 50 % failures: of the last 100 calls, or of the last 10 s.

use std::time::{Duration, Instant};

use failsafe::backoff;
use failsafe::failure_policy::success_rate_over_time_window;
use layered::{Execute, Service as _, Stack as _};
use recloser::Recloser;
use resilience::circuit_breaker;
use seatbelt::breaker::Breaker;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Service, ServiceExt as _};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

use crate::consecutive::{OPEN, failsafe_called, recloser_called};
use crate::{Failure, Result, Row, poll, repeat, repeat_flaky, runtime, work, work_async};

const LENGTH: Duration = Duration::from_secs(10);

const NAME: &str = "breaker closed, half of 100 calls";

pub(crate) const CALLS: &[Row] = &[
    Row {
        name: NAME,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, calls_ours),
    },
    Row {
        name: NAME,
        subject: "recloser",
        run: |calls| {
            let breaker = Recloser::custom().error_rate(0.5).closed_len(100).build();
            repeat(calls, |input| recloser_called(&breaker, input));
        },
    },
];

const NAME_ASYNC: &str = "breaker closed, half of 100 calls, async";

pub(crate) const CALLS_ASYNC: &[Row] = &[
    Row {
        name: NAME_ASYNC,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, |input| poll(calls_ours_async(input))),
    },
    Row {
        name: NAME_ASYNC,
        subject: "tower-resilience",
        run: |calls| {
            let layer = CircuitBreakerLayer::builder().sliding_window_size(100);
            tower(calls, &layer.build().expect("valid settings"), work_async);
        },
    },
];

const NAME_FAILING: &str = "breaker closed, half of 100 calls, 2 % of the calls fail";

pub(crate) const CALLS_FAILING: &[Row] = &[
    Row {
        name: NAME_FAILING,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat_flaky(calls, 50, calls_failing_ours),
    },
    Row {
        name: NAME_FAILING,
        subject: "recloser",
        run: |calls| {
            let breaker = Recloser::custom().error_rate(0.5).closed_len(100).build();
            repeat_flaky(calls, 50, |input| recloser_called(&breaker, input));
        },
    },
];

const NAME_TIME: &str = "breaker closed, half in 10 s";

pub(crate) const TIME: &[Row] = &[
    Row {
        name: NAME_TIME,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, time_ours),
    },
    Row {
        name: NAME_TIME,
        subject: "failsafe",
        run: |calls| {
            let backoff = backoff::constant(OPEN);
            let policy = success_rate_over_time_window(0.5, 20, LENGTH, backoff);
            let breaker = failsafe::Config::new().failure_policy(policy).build();
            repeat(calls, |input| failsafe_called(&breaker, input));
        },
    },
];

const NAME_TIME_ASYNC: &str = "breaker closed, half in 10 s, async";

pub(crate) const TIME_ASYNC: &[Row] = &[
    Row {
        name: NAME_TIME_ASYNC,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, |input| poll(time_ours_async(input))),
    },
    Row { name: NAME_TIME_ASYNC, subject: "seatbelt", run: |calls| seatbelt(calls, work_async) },
    Row {
        name: NAME_TIME_ASYNC,
        subject: "tower-resilience",
        run: |calls| {
            let layer = CircuitBreakerLayer::builder()
                .sliding_window_type(SlidingWindowType::TimeBased)
                .sliding_window_duration(LENGTH)
                .minimum_number_of_calls(20);
            tower(calls, &layer.build().expect("valid settings"), work_async);
        },
    },
];

const NAME_TIME_FAILING: &str = "breaker closed, half in 10 s, 2 % of the calls fail";

pub(crate) const TIME_FAILING: &[Row] = &[
    Row {
        name: NAME_TIME_FAILING,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat_flaky(calls, 50, time_failing_ours),
    },
    Row {
        name: NAME_TIME_FAILING,
        subject: "failsafe",
        run: |calls| {
            let backoff = backoff::constant(OPEN);
            let policy = success_rate_over_time_window(0.5, 20, LENGTH, backoff);
            let breaker = failsafe::Config::new().failure_policy(policy).build();
            repeat_flaky(calls, 50, |input| failsafe_called(&breaker, input));
        },
    },
];

const NAME_SLOW: &str = "breaker closed, half of 100 calls, slow calls counted";

pub(crate) const SLOW: &[Row] = &[
    Row {
        name: NAME_SLOW,
        subject: "by hand: two readings of the clock",
        run: |calls| {
            repeat(calls, |input| {
                let start = Instant::now();
                let result = work(input);
                (result, start.elapsed() > Duration::from_secs(1))
            });
        },
    },
    Row {
        name: NAME_SLOW,
        subject: "resilience `#[circuit_breaker]`",
        run: |calls| repeat(calls, slow_ours),
    },
];

#[inline(never)]
#[circuit_breaker(failure_rate = 0.5, window = 100)]
pub(crate) fn calls_failing_ours(input: u32) -> Result<u32> {
    work(input)
}

#[inline(never)]
#[circuit_breaker(failure_rate = 0.5)]
fn time_failing_ours(input: u32) -> Result<u32> {
    work(input)
}

#[inline(never)]
#[circuit_breaker(failure_rate = 0.5, window = 100, slow_call = "1s")]
fn slow_ours(input: u32) -> Result<u32> {
    work(input)
}

#[inline(never)]
#[circuit_breaker(failure_rate = 0.5, window = 100)]
fn calls_ours(input: u32) -> Result<u32> {
    work(input)
}

#[circuit_breaker(failure_rate = 0.5, window = 100)]
async fn calls_ours_async(input: u32) -> Result<u32> {
    work_async(input).await
}

#[inline(never)]
#[circuit_breaker(failure_rate = 0.5)]
fn time_ours(input: u32) -> Result<u32> {
    work(input)
}

#[circuit_breaker(failure_rate = 0.5)]
async fn time_ours_async(input: u32) -> Result<u32> {
    work_async(input).await
}

/// A single service without clones per call, the cheapest way to use the crate.
pub(crate) fn tower<F>(calls: u64, layer: &CircuitBreakerLayer, work: fn(u32) -> F)
where
    F: Future<Output = Result<u32>> + Send + 'static,
{
    let mut service = layer.layer_fn(tower::service_fn(work));
    repeat(calls, |input| poll(async { service.ready().await?.call(input).await }));
}

/// Opens at 50 % of at least 20 calls, for a year.
pub(crate) fn seatbelt<F>(calls: u64, work: fn(u32) -> F)
where
    F: Future<Output = Result<u32>> + Send + 'static,
{
    let clock = runtime().block_on(async { tick::Clock::new_tokio() });
    let context = ResilienceContext::<u32, Result<u32>>::new(&clock);
    let layer = Breaker::layer("breaker", &context)
        .recovery_with(|result: &Result<u32>, _| match result {
            Ok(_) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| Failure::Rejected)
        .failure_threshold(0.5)
        .min_throughput(20)
        .sampling_duration(LENGTH)
        .break_duration(Duration::from_secs(365 * 24 * 3600));
    let service = (layer, Execute::new(work)).into_service();
    repeat(calls, |input| poll(service.execute(input)));
}
