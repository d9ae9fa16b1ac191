//! The breaker against a small model that keeps every outcome in a list.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use resilience::{CircuitBreaker, CircuitState, testing};

#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    /// Ends the oldest or the newest running call.
    End {
        oldest: bool,
        outcome: Outcome,
    },
    Pass(u16),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Success,
    Failure,
    Ignored,
    Dropped,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => Just(Outcome::Ignored),
        1 => Just(Outcome::Dropped),
    ];
    let step = prop_oneof![
        4 => Just(Step::Start),
        4 => (any::<bool>(), outcome).prop_map(|(oldest, outcome)| Step::End { oldest, outcome }),
        1 => (0..3000_u16).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..200)
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    threshold: u32,
    /// Calls with a percentage of failures.
    window: Option<(usize, f64)>,
    min_calls: usize,
    successes: u32,
    probes: u32,
}

fn settings() -> impl Strategy<Value = Settings> {
    let window = proptest::option::of((1..12_usize, prop_oneof![Just(0.25), Just(0.5), Just(1.0)]));
    (1..5_u32, window, 1..6_usize, 1..4_u32, 0..3_u32).prop_map(
        |(threshold, window, min_calls, successes, more)| Settings {
            threshold,
            window,
            min_calls,
            successes,
            probes: successes + more,
        },
    )
}

const OPEN_TIME: u64 = 1000;

/// The states in order, each with the events during the state.
#[derive(Debug)]
struct Model {
    settings: Settings,
    now: u64,
    state: CircuitState,
    epoch: u32,
    opened: u64,
    /// Whether each call in view failed.
    calls: VecDeque<bool>,
    run: u32,
    probes: Vec<(u32, u64)>,
    last: u32,
    succeeded: u32,
    failed: u32,
}

impl Model {
    fn start(&mut self) -> Option<(u32, u32)> {
        if self.state == CircuitState::Open && self.now - self.opened >= OPEN_TIME {
            self.enter(CircuitState::HalfOpen);
        }
        match self.state {
            CircuitState::Closed => Some((self.epoch, 0)),
            CircuitState::Open => None,
            _ => {
                let now = self.now;
                self.probes.retain(|(_, granted)| now - granted < OPEN_TIME);
                let taken =
                    u32::try_from(self.probes.len()).unwrap() + self.succeeded + self.failed;
                (taken < self.settings.probes).then(|| {
                    self.last += 1;
                    self.probes.push((self.last, now));
                    (self.epoch, self.last)
                })
            }
        }
    }

    fn end(&mut self, (epoch, probe): (u32, u32), outcome: Outcome) {
        if epoch != self.epoch {
            return;
        }
        let failed = outcome == Outcome::Failure;
        let counts = matches!(outcome, Outcome::Success | Outcome::Failure);
        if self.state == CircuitState::Closed {
            if counts {
                self.count(failed);
            }
        } else {
            // With an expired lease too.
            self.probes.retain(|(number, _)| *number != probe);
            if counts {
                *(if failed { &mut self.failed } else { &mut self.succeeded }) += 1;
                if self.succeeded >= self.settings.successes {
                    self.enter(CircuitState::Closed);
                } else if self.failed > self.settings.probes - self.settings.successes {
                    self.enter(CircuitState::Open);
                }
            }
        }
    }

    fn count(&mut self, failed: bool) {
        self.run = if failed { self.run + 1 } else { 0 };
        let opens = match self.settings.window {
            None => self.run >= self.settings.threshold,
            Some((size, rate)) => {
                self.calls.push_back(failed);
                if self.calls.len() > size {
                    self.calls.pop_front();
                }
                let failures = self.calls.iter().filter(|failed| **failed).count();
                #[allow(clippy::cast_precision_loss, reason = "there are a dozen")]
                let share = failures as f64 / self.calls.len() as f64;
                self.calls.len() >= self.settings.min_calls.min(size) && share >= rate
            }
        };
        if opens {
            self.enter(CircuitState::Open);
        }
    }

    fn enter(&mut self, state: CircuitState) {
        (self.state, self.opened) = (state, self.now);
        self.epoch += 1;
        self.calls.clear();
        self.probes.clear();
        (self.run, self.succeeded, self.failed) = (0, 0, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_the_model_does(settings in settings(), steps in steps()) {
        let clock = testing::clock();
        let breaker = CircuitBreaker::new()
            .reset_timeout(Duration::from_millis(OPEN_TIME))
            .success_threshold(settings.successes)
            .half_open_calls(settings.probes);
        let breaker = match settings.window {
            None => breaker.failure_threshold(settings.threshold),
            Some((size, rate)) => breaker
                .failure_rate(rate)
                .count_window(u32::try_from(size).unwrap())
                .min_calls(u32::try_from(settings.min_calls).unwrap()),
        };
        let mut model = Model {
            settings, now: 0, state: CircuitState::Closed, epoch: 0, opened: 0,
            calls: VecDeque::new(), run: 0, probes: Vec::new(), last: 0, succeeded: 0, failed: 0,
        };
        let mut under_way = VecDeque::new();
        for step in steps {
            match step {
                Step::Start => {
                    let (ours, theirs) = (breaker.try_acquire(), model.start());
                    prop_assert_eq!(ours.is_ok(), theirs.is_some());
                    under_way.extend(ours.ok().zip(theirs));
                }
                Step::End { oldest, outcome } => {
                    let call = if oldest { under_way.pop_front() } else { under_way.pop_back() };
                    let Some((guard, id)) = call else { continue };
                    match outcome {
                        Outcome::Success => guard.success(),
                        Outcome::Failure => guard.failure(),
                        Outcome::Ignored => guard.ignore(),
                        Outcome::Dropped => drop(guard),
                    }
                    model.end(id, outcome);
                }
                Step::Pass(millis) => {
                    clock.advance(Duration::from_millis(millis.into()));
                    model.now += u64::from(millis);
                }
            }
            prop_assert_eq!(breaker.state(), model.state);
        }
    }
}

/// A time window against a list of all events.
const WIDTH: u64 = 100;
const BUCKETS: u64 = 10;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_time_window_holds_the_current_bucket_and_nine_before(
        calls in proptest::collection::vec((any::<bool>(), prop_oneof![
            5 => 0..30_u64, 2 => 30..400_u64, 1 => 400..5000_u64
        ]), 1..200),
    ) {
        let clock = testing::clock();
        let breaker = CircuitBreaker::new()
            .failure_rate(1.0)
            .min_calls(u32::MAX)
            .time_window(Duration::from_millis(WIDTH * BUCKETS));
        let (mut now, mut all) = (0, Vec::new());
        for (failed, pause) in calls {
            let guard = breaker.try_acquire().expect("closed");
            if failed { guard.failure() } else { guard.success() }
            all.push((now, failed));
            clock.advance(Duration::from_millis(pause));
            now += pause;
            let is_seen = |at: u64| now / WIDTH - at / WIDTH < BUCKETS;
            let seen: Vec<bool> =
                all.iter().filter(|(at, _)| is_seen(*at)).map(|(_, failed)| *failed).collect();
            let snapshot = breaker.snapshot();
            prop_assert_eq!(snapshot.calls as usize, seen.len());
            prop_assert_eq!(snapshot.failures as usize, seen.iter().filter(|failed| **failed).count());
        }
    }
}
