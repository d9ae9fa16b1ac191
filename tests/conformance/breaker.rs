//! The area `breaker`: a [`CircuitBreaker`] under the virtual clock. Whole calls use `run`,
//! overlapping calls use guards, and manual control uses the methods for operators.
//!
//! Facts outside the snapshot are not compared: the cause of an opening (`emitted`), and the
//! number of calls without a window, because a success then writes nothing.

use std::cell::{Cell, RefCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use resilience::testing::{self, Clock};
use resilience::{
    CircuitBreaker, CircuitGuard, CircuitSnapshot, CircuitState, FailureClass, Rejected,
    StateChange,
};
use serde_json::{Value, json};

use crate::breaker_settings as settings;
use crate::breaker_settings::Trial;
use crate::case::{Skip, count, duration, items, millis, only, text};
use crate::report::compare;

const OPS: [&str; 7] = ["acquire", "call", "complete", "force", "observe", "release", "reset"];

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    only(config, &["half_open", "ignored_as", "open", "slow_call_ms", "trip"])?;
    for event in items(&case["events"]) {
        only(
            event,
            &["at_ms", "count", "duration_ms", "expect", "for_ms", "id", "op", "outcome", "to"],
        )?;
        if !OPS.contains(&text(&event["op"])) {
            return Err(format!("op {} is not built", event["op"]));
        }
    }
    let clock = testing::clock();
    let breaker = settings::build(config)?.on_state_change(note);
    CHANGES.take();
    let mut run = Run::new(&breaker, &clock, config);
    let mut found = Vec::new();
    for (index, event) in items(&case["events"]).iter().enumerate() {
        let seen = run.event(event);
        if let Some(expected) = event.get("expect") {
            let mut expected = expected.clone();
            if let Some(metrics) = expected.get_mut("metrics") {
                if breaker.state() != CircuitState::HalfOpen {
                    forget_uncounted(metrics, config, run.has_succeeded);
                }
            }
            compare(&expected, &seen, &format!("events[{index}]"), &mut found);
        }
    }
    let mut expected = case["expect"].clone();
    keep(&mut expected, |key| key != "emitted");
    compare(&expected, &run.in_case_words(), "expect", &mut found);
    match (run.by_design, settings::approximation(config)) {
        (Some(reason), _) => Err(reason.to_owned()),
        (None, Some(reason)) if !found.is_empty() => Err(reason.to_owned()),
        _ => Ok(found),
    }
}

thread_local! {
    /// The state changes of the current case; a hook is a plain function.
    static CHANGES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(change: &StateChange) {
    let change = format!("{}>{}", word(change.from), word(change.to));
    CHANGES.with_borrow_mut(|changes| changes.push(change));
}

fn changes() -> usize {
    CHANGES.with_borrow(Vec::len)
}

/// Returns a state by the name in the cases.
pub(crate) fn word(state: CircuitState) -> &'static str {
    match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
        CircuitState::ForcedOpen => "forced_open",
        CircuitState::Disabled => "disabled",
        other => panic!("a new state: {other}"),
    }
}

/// The failure of a whole call.
enum Failure {
    Counted,
    /// An error declined by `on`.
    Ignored,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// The time of admission, and whether the call is a trial call.
#[derive(Clone, Copy)]
struct Admitted {
    since: Duration,
    /// The number of earlier state changes.
    changes: usize,
    is_probe: bool,
}

struct Run<'b> {
    breaker: &'b CircuitBreaker,
    clock: &'b Clock,
    config: &'b Value,
    /// The running calls. A call without a name never ends.
    calls: Vec<(&'b str, CircuitGuard<'b>, Admitted)>,
    trial: Trial,
    /// Where the case deviates from this crate's decisions.
    by_design: Option<&'static str>,
    has_succeeded: bool,
    /// The number of reopenings at each opening.
    reopened: Vec<u32>,
}

impl<'b> Run<'b> {
    fn new(breaker: &'b CircuitBreaker, clock: &'b Clock, config: &'b Value) -> Self {
        Self {
            breaker,
            clock,
            config,
            calls: Vec::new(),
            trial: Trial::default(),
            by_design: None,
            has_succeeded: false,
            reopened: Vec::new(),
        }
    }

    fn event(&mut self, event: &'b Value) -> Value {
        let at = duration(&event["at_ms"]).expect("`at_ms` is a time");
        self.clock.advance(at.saturating_sub(self.clock.elapsed()));
        let before = changes();
        let mut seen = json!({});
        match text(&event["op"]) {
            "call" => {
                for _ in 0..count(&event["count"]).unwrap_or(1) {
                    let rejected = self.call(event).err();
                    seen = self.admission(rejected);
                }
            }
            "acquire" => {
                let admitted = self.breaker.try_acquire();
                seen = self.admission(admitted.as_ref().err().cloned());
                if let Ok(guard) = admitted {
                    self.calls.push((text(&event["id"]), guard, self.admitted()));
                }
            }
            "complete" => self.complete(event),
            "release" => drop(self.take(event)),
            "force" => seen = self.force(event),
            "reset" => self.breaker.reset(),
            _ => {}
        }
        let opened =
            |changes: &Vec<String>| changes[before..].iter().any(|to| to.ends_with(">open"));
        if CHANGES.with_borrow(opened) {
            self.reopened.push(self.breaker.snapshot().reopened);
        }
        let metrics = figures(self.breaker);
        seen["state"] = metrics["state"].clone();
        seen["metrics"] = metrics;
        seen
    }

    /// Runs a whole call; a rejected call fails.
    fn call(&mut self, event: &Value) -> Result<(), Rejected> {
        let outcome = text(&event["outcome"]);
        let admitted = Cell::new(None);
        let body = || {
            admitted.set(Some(self.admitted()));
            self.clock.advance(duration(&event["duration_ms"]).unwrap_or_default());
            match outcome {
                "success" => Ok(()),
                "failure" => Err(Failure::Counted),
                "ignored" => Err(Failure::Ignored),
                "panic" => resume_unwind(Box::new("panic of the case")),
                other => panic!("outcome {other} is not known"),
            }
        };
        let is_counted = |failure: &Failure| match failure {
            Failure::Counted => FailureClass::transient(),
            _ if self.ignored_is_success() => FailureClass::permanent(),
            _ => FailureClass::permanent().neutral(),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| self.breaker.on(is_counted).run(body)));
        if let Some(admitted) = admitted.get() {
            self.ended(admitted, outcome);
        }
        match ended {
            Ok(Err(Failure::Rejected(rejected))) => Err(rejected),
            _ => Ok(()),
        }
    }

    fn complete(&mut self, event: &'b Value) {
        let (guard, admitted) = self.take(event);
        let outcome = text(&event["outcome"]);
        match outcome {
            "success" => guard.success(),
            "failure" => guard.failure(),
            "ignored" if self.ignored_is_success() => guard.success(),
            "ignored" => guard.ignore(),
            "panic" => {
                let panicked = catch_unwind(AssertUnwindSafe(move || {
                    let _guard = guard;
                    resume_unwind(Box::new("panic of the case"))
                }));
                assert!(panicked.is_err());
            }
            other => panic!("outcome {other} is not known"),
        }
        self.ended(admitted, outcome);
    }

    fn ignored_is_success(&self) -> bool {
        text(&self.config["ignored_as"]) == "success"
    }

    fn take(&mut self, event: &Value) -> (CircuitGuard<'b>, Admitted) {
        let index = self.calls.iter().position(|(id, ..)| event["id"] == **id).expect("it runs");
        let (_, guard, admitted) = self.calls.swap_remove(index);
        (guard, admitted)
    }

    fn admitted(&self) -> Admitted {
        let is_probe = self.breaker.state() == CircuitState::HalfOpen;
        Admitted { since: self.clock.elapsed(), changes: changes(), is_probe }
    }

    /// Returns the decision in the words of the cases: their errors name the state.
    fn admission(&self, rejected: Option<Rejected>) -> Value {
        let Some(rejected) = rejected else { return json!({ "permitted": true }) };
        let error = match self.breaker.state() {
            CircuitState::ForcedOpen => "circuit_forced_open",
            CircuitState::HalfOpen => "circuit_half_open_saturated",
            _ => "circuit_open",
        };
        let after = rejected.retry_after().map(millis);
        json!({ "permitted": false, "error": error, "retry_after_ms": after })
    }

    /// Checks whether the end of a call led to a state outside the case.
    fn ended(&mut self, admitted: Admitted, outcome: &str) {
        let was_good = outcome == "success" || outcome == "ignored" && self.ignored_is_success();
        let was_bad = matches!(outcome, "failure" | "panic");
        self.has_succeeded |= was_good;
        let is_of_now = changes() == admitted.changes;
        let slow = duration(&self.config["slow_call_ms"])
            .is_some_and(|limit| self.clock.elapsed() > admitted.since + limit);
        if admitted.is_probe && (was_good || was_bad) {
            // Stale if the state changed before this outcome; the outcome itself changes the state
            // once.
            if is_of_now || changes() == admitted.changes + 1 {
                let decide = &self.config["half_open"]["decide"];
                self.trial.count(admitted.changes, was_bad, slow);
                self.by_design = self.by_design.or(self.trial.by_design(decide));
            }
        } else if !is_of_now && self.breaker.state() == CircuitState::Open {
            let rate = self.breaker.snapshot().failure_rate;
            let trip = &self.config["trip"];
            self.by_design = self.by_design.or(settings::opened_by_design(trip, was_good, rate));
        }
    }

    fn force(&self, event: &Value) -> Value {
        let breaker = self.breaker;
        match (text(&event["to"]), duration(&event["for_ms"])) {
            ("open", None) => breaker.trip(),
            ("open", open_for) => {
                let mut snapshot = CircuitSnapshot::default();
                (snapshot.state, snapshot.open_for) = (CircuitState::Open, open_for);
                breaker.restore(&snapshot);
            }
            ("half_open", None) => {
                breaker.probe();
                // No error is reported, and nothing happens.
                if breaker.state() != CircuitState::HalfOpen {
                    return json!({ "error": "illegal_transition" });
                }
            }
            ("closed", None) => breaker.force_close(),
            ("disabled", None) => breaker.disable(),
            ("forced_open", None) => breaker.force_open(),
            (to, _) => panic!("`{to}` cannot be set"),
        }
        json!({})
    }

    fn in_case_words(&mut self) -> Value {
        json!({
            "state": word(self.breaker.state()),
            "transitions": CHANGES.take(),
            "open_schedule_calls": mem::take(&mut self.reopened),
        })
    }
}

/// Removes the counters that a closed breaker without a window does not keep. Until the first
/// success, all failures are consecutive.
pub(crate) fn forget_uncounted(expected: &mut Value, config: &Value, has_succeeded: bool) {
    if config["trip"]["kind"] != "consecutive" {
        return;
    }
    let failed = expected.get("failed").filter(|_| !has_succeeded).cloned();
    keep(expected, |key| !matches!(key, "failed" | "succeeded" | "total"));
    if let Some(failed) = failed {
        expected["consecutive_failures"] = failed;
    }
}

fn keep(object: &mut Value, is_kept: impl Fn(&str) -> bool) {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|key, _| is_kept(key));
    }
}

/// Returns a snapshot in the words of the cases.
pub(crate) fn figures(breaker: &CircuitBreaker) -> Value {
    let seen = breaker.snapshot();
    json!({
        "state": word(seen.state),
        "total": seen.calls,
        "failed": seen.failures,
        "succeeded": seen.calls - seen.failures,
        "slow": seen.slow_calls,
        "failure_rate": seen.failure_rate,
        "slow_rate": seen.slow_rate,
        "rejected": seen.rejected_in_state,
        "consecutive_failures": seen.consecutive_failures,
    })
}
