//! Runs the callers of a stack under the paused clock of tokio.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use resilience::testing;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

use crate::scenario::Scenario;
use crate::service::Service;
use crate::stacks::{Answer, Circuit, Stack};

/// The calls that started in a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Second {
    pub(crate) started: u32,
    pub(crate) fresh: u32,
    pub(crate) fallbacks: u32,
    /// The times until the outcomes, in seconds, sorted.
    pub(crate) latencies: Vec<f64>,
}

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) seconds: Vec<Second>,
    /// The requests that arrived at the service in each second.
    pub(crate) arrived: Vec<u32>,
    /// Changes of the circuit, with their times in seconds.
    pub(crate) circuit: Vec<(f64, Circuit)>,
}

thread_local! {
    static CIRCUIT: RefCell<Vec<(Instant, Circuit)>> = RefCell::default();
}

/// Records a change of the circuit of the current run.
pub(crate) fn record(state: Circuit) {
    CIRCUIT.with_borrow_mut(|changes| changes.push((Instant::now(), state)));
}

/// Runs all callers of `stack`; calls `tick` after each simulated second.
pub(crate) fn run(scenario: &Scenario, stack: &Stack, tick: impl Fn()) -> io::Result<Run> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build()?;
    let (_fresh, _draws) = (testing::fresh_state(), testing::seed(scenario.seed));
    CIRCUIT.take();
    Ok(LocalSet::new().block_on(&runtime, simulate(scenario, stack, tick)))
}

async fn simulate(scenario: &Scenario, stack: &Stack, tick: impl Fn()) -> Run {
    let start = Instant::now();
    let service = Rc::new(Service::new(scenario));
    let length = usize::try_from(scenario.end().as_secs()).unwrap_or(usize::MAX);
    let seconds = Rc::new(RefCell::new(vec![Second::default(); length + 1]));
    let mut random = Xoshiro256PlusPlus::seed_from_u64(scenario.seed);
    let mut starts: BinaryHeap<_> = (0..scenario.clients)
        .map(|client| Reverse((start + Duration::from_secs(1).mul_f64(random.random()), client)))
        .collect();
    let (mut calls, mut ticks) = (Vec::new(), 0);
    while let Some(Reverse((time, client))) = starts.pop() {
        if time >= start + scenario.end() {
            continue;
        }
        // A second with a deviation of 10 %, so that the callers do not stay in step.
        let between = Duration::from_secs(1).mul_f64(random.random_range(0.9..1.1));
        starts.push(Reverse((time + between, client)));
        sleep_until(time).await;
        let second = usize::try_from((time - start).as_secs()).unwrap_or(length).min(length);
        while ticks < second {
            ticks += 1;
            tick();
        }
        let (service, seconds, call) = (Rc::clone(&service), Rc::clone(&seconds), stack.call);
        calls.push(tokio::task::spawn_local(async move {
            let started = Instant::now();
            let answer = call(&service).await;
            let second = &mut seconds.borrow_mut()[second];
            second.started += 1;
            second.fresh += u32::from(matches!(answer, Ok(Answer::Fresh)));
            second.fallbacks += u32::from(matches!(answer, Ok(Answer::LastKnown)));
            second.latencies.push(started.elapsed().as_secs_f64());
        }));
    }
    for call in calls {
        // A call does not panic.
        let _ = call.await;
    }
    let since_start = |time: Instant| (time - start).as_secs_f64();
    let changes = CIRCUIT.take();
    let mut seconds = seconds.take();
    seconds.truncate(length);
    for second in &mut seconds {
        second.latencies.sort_by(f64::total_cmp);
    }
    let mut arrived = service.arrived();
    arrived.resize(length, 0);
    let circuit = changes.into_iter().map(|(time, state)| (since_start(time), state)).collect();
    Run { seconds, arrived, circuit }
}

/// The figures of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) fresh: f64,
    pub(crate) fallbacks: f64,
    pub(crate) errors: f64,
    /// Requests at the service per call.
    pub(crate) requests_per_call: f64,
    /// The most requests in a second.
    pub(crate) peak: u32,
    /// Times until the outcome, in seconds.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Seconds from the end of the outage until 95 % of the calls of five seconds are answered.
    pub(crate) recovery: Option<usize>,
}

impl Run {
    pub(crate) fn summary(&self, scenario: &Scenario) -> Summary {
        const STEADY: usize = 5;
        let sum = |count: fn(&Second) -> u32| self.seconds.iter().map(count).sum::<u32>();
        let [calls, fresh, fallbacks] =
            [sum(|s| s.started), sum(|s| s.fresh), sum(|s| s.fallbacks)];
        let share = |count: u32| f64::from(count) / f64::from(calls.max(1));
        let mut latencies: Vec<_> =
            self.seconds.iter().flat_map(|second| second.latencies.iter().copied()).collect();
        latencies.sort_by(f64::total_cmp);
        let from = usize::try_from(scenario.recovery().as_secs()).unwrap_or(usize::MAX);
        let after = self.seconds.get(from..).unwrap_or_default();
        let is_steady = |part: &[Second]| {
            let started: u32 = part.iter().map(|second| second.started).sum();
            let fresh: u32 = part.iter().map(|second| second.fresh).sum();
            f64::from(fresh) >= 0.95 * f64::from(started)
        };
        Summary {
            fresh: share(fresh),
            fallbacks: share(fallbacks),
            errors: share(calls - fresh - fallbacks),
            requests_per_call: share(self.arrived.iter().sum()),
            peak: self.arrived.iter().copied().max().unwrap_or_default(),
            median: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            recovery: after.windows(STEADY).position(is_steady),
        }
    }
}

/// Returns a percentile of sorted values, or 0 without values.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}
