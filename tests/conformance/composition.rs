//! The area `composition`: each order of layers in the cases is an annotated async function, so
//! that the layers see each other's rejections. The settings come at run time. Time is the clock
//! of a paused tokio runtime.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilience::{
    CircuitBreaker, Rejected, RejectedKind, RetryEvent, RetryPolicy, circuit_breaker, fallback,
    retry, timeout,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::case::{Skip, count, duration, items, millis, only, text};
use crate::report::compare;
use crate::{backoff, breaker, breaker_settings};

type Answer = Result<Value, Failure>;

#[derive(Debug)]
enum Failure {
    /// By the name in the case.
    Own(Value),
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    only(config, &["calls", "gap_ms", "pipeline"])?;
    for event in items(&case["events"]) {
        only(event, &["duration_ms", "error", "outcome", "value"])?;
    }
    let stack = Stack::new(case)?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    let seen = runtime.block_on(async {
        let start = Instant::now();
        let mut results = Vec::new();
        for _ in 0..count(&config["calls"]).unwrap_or(1) {
            results.push(in_case_words(stack.call().await?));
            if let Some(gap) = duration(&config["gap_ms"]) {
                sleep(gap).await;
            }
        }
        Ok::<_, Skip>(stack.in_case_words(&results, start))
    })?;
    let mut expected = case["expect"].clone();
    let figures = expected.get_mut("breakers").and_then(Value::as_array_mut);
    for (figures, layer) in figures.into_iter().flatten().zip(layers(case, "circuit_breaker")) {
        // No case mixes failures and successes before these.
        breaker::forget_uncounted(figures, layer, false);
    }
    let mut found = Vec::new();
    compare(&expected, &seen, "expect", &mut found);
    Ok(found)
}

/// Returns the layers of a case of this `kind`, outermost first.
fn layers<'c>(case: &'c Value, kind: &str) -> impl Iterator<Item = &'c Value> {
    items(&case["config"]["pipeline"]).iter().filter(move |layer| layer["policy"] == kind)
}

fn in_case_words(answer: Answer) -> Value {
    match answer {
        Ok(value) => json!({ "kind": "ok", "value": value }),
        Err(Failure::Own(error)) => json!({ "kind": "err", "error": error }),
        Err(Failure::Rejected(rejected)) => {
            let error = match rejected.kind() {
                RejectedKind::CircuitOpen => "circuit_open",
                RejectedKind::TimedOut => "timeout",
                other => panic!("no layer rejects so: {other:?}"),
            };
            json!({ "kind": "err", "error": error })
        }
    }
}

/// The settings of the layers of a case, and the observations.
struct Stack<'c> {
    case: &'c Value,
    retry: RetryPolicy,
    breakers: Vec<CircuitBreaker>,
    executions: Cell<usize>,
    timeouts: Cell<usize>,
    fallbacks: Cell<usize>,
    /// The planned starts of the retry's attempts.
    attempts: RefCell<Vec<Instant>>,
}

impl<'c> Stack<'c> {
    fn new(case: &'c Value) -> Result<Self, Skip> {
        for layer in items(&case["config"]["pipeline"]) {
            let known: &[&str] = match text(&layer["policy"]) {
                "circuit_breaker" => {
                    &["half_open", "ignore", "open", "policy", "pre_force", "record", "trip"]
                }
                "fallback" => &["on", "policy", "value"],
                "retry" => &[
                    "abort_on",
                    "backoff",
                    "max_attempts",
                    "policy",
                    "retry_on",
                    "wait_for_retry_after",
                ],
                "timeout" => &["policy", "timeout_ms"],
                other => return Err(format!("a case with `{other}` has no function here")),
            };
            only(layer, known)?;
        }
        let mut policy = RetryPolicy::new();
        if let Some(layer) = layers(case, "retry").next() {
            policy = backoff::policy(&layer["backoff"], &[])?.max_retry_after(Duration::MAX);
            let waits = layer["wait_for_retry_after"] == true;
            if waits && case["expect"]["attempts"] != case["expect"]["executions"] {
                return Err("by design no attempt meets a circuit that is known to be open".into());
            }
            policy = policy.wait_for_rejections(waits);
            policy = match count(&layer["max_attempts"]) {
                Some(attempts) => policy.attempts(attempts),
                None => policy.unlimited(),
            };
        }
        let mut breakers = Vec::new();
        for layer in layers(case, "circuit_breaker") {
            let breaker = breaker_settings::build(layer)?;
            if !layer["pre_force"].is_null() {
                breaker.trip();
            }
            breakers.push(breaker);
        }
        Ok(Self {
            case,
            retry: policy,
            breakers,
            executions: Cell::default(),
            timeouts: Cell::default(),
            fallbacks: Cell::default(),
            attempts: RefCell::default(),
        })
    }

    async fn call(&self) -> Result<Answer, Skip> {
        let pipeline = items(&self.case["config"]["pipeline"]).iter();
        let names: Vec<_> = pipeline.map(|layer| text(&layer["policy"])).collect();
        if names.contains(&"retry") {
            self.attempts.borrow_mut().push(Instant::now());
        }
        Ok(match names.as_slice() {
            ["circuit_breaker"] => guarded(self).await,
            ["circuit_breaker", "circuit_breaker"] => guarded_twice(self).await,
            ["circuit_breaker", "retry"] => guarded_retry(self).await,
            ["circuit_breaker", "timeout"] => guarded_timeout(self).await,
            ["fallback", "retry"] => fallback_retry(self).await,
            ["fallback", "retry", "circuit_breaker"] => fallback_retry_guarded(self).await,
            ["retry", "circuit_breaker"] => retry_guarded(self).await,
            ["retry", "fallback"] => retry_fallback(self).await,
            ["timeout", "circuit_breaker"] => timeout_guarded(self).await,
            ["timeout", "retry"] => timeout_retry(self).await,
            ["timeout", "timeout"] => timeout_timeout(self).await,
            other => return Err(format!("{other:?} in this order has no function here")),
        })
    }

    /// The inner function: the next event.
    async fn body(&self) -> Answer {
        let script = items(&self.case["events"]);
        let execution = self.executions.replace(self.executions.get() + 1);
        let event = script.get(execution).or(script.last()).expect("a script has an event");
        if let Some(time) = duration(&event["duration_ms"]) {
            sleep(time).await;
        }
        match text(&event["outcome"]) {
            "ok" => Ok(event["value"].clone()),
            _ => Err(Failure::Own(event["error"].clone())),
        }
    }

    fn limit(&self, index: usize) -> Duration {
        let layer = layers(self.case, "timeout").nth(index).expect("as many as the function has");
        duration(&layer["timeout_ms"]).expect("a limit is a time")
    }

    fn timed_out(&self, rejected: Rejected) -> Failure {
        self.timeouts.set(self.timeouts.get() + 1);
        rejected.into()
    }

    fn is_recorded(&self, index: usize, failure: &Failure) -> bool {
        let layer = layers(self.case, "circuit_breaker").nth(index);
        let layer = layer.expect("as many as the function has");
        is_listed(&layer["record"], failure, true) && !is_listed(&layer["ignore"], failure, false)
    }

    fn is_repeated(&self, failure: &Failure) -> bool {
        let layer = layers(self.case, "retry").next().expect("a layer of this kind");
        is_listed(&layer["retry_on"], failure, true)
            && !is_listed(&layer["abort_on"], failure, false)
    }

    fn is_replaced(&self, failure: &Failure) -> bool {
        let layer = layers(self.case, "fallback").next().expect("a layer of this kind");
        is_listed(&layer["on"], failure, true)
    }

    fn replacement(&self) -> Value {
        self.fallbacks.set(self.fallbacks.get() + 1);
        layers(self.case, "fallback").next().expect("a layer of this kind")["value"].clone()
    }

    fn retried(&self, event: &RetryEvent<'_, Failure>) {
        self.attempts.borrow_mut().push(Instant::now() + event.delay);
    }

    fn in_case_words(&self, results: &[Value], start: Instant) -> Value {
        let now = Instant::now();
        // A retry dropped during its delay has planned one more attempt.
        let attempts = self.attempts.borrow().iter().filter(|begin| **begin <= now).count();
        json!({
            "attempts": attempts,
            "executions": self.executions,
            "timeouts": self.timeouts,
            "fallbacks": self.fallbacks,
            "elapsed_ms": millis(now - start),
            "result": results.last(),
            "results": results,
            "breakers": self.breakers.iter().map(breaker::figures).collect::<Vec<_>>(),
        })
    }
}

/// Returns whether a list of errors contains this error; without a list, `otherwise`.
fn is_listed(list: &Value, failure: &Failure, otherwise: bool) -> bool {
    match failure {
        _ if list.is_null() || list == "any" => otherwise,
        Failure::Own(error) => items(list).contains(error),
        Failure::Rejected(_) => false,
    }
}

#[circuit_breaker(breaker = stack.breakers[0], on = |error| stack.is_recorded(0, error))]
async fn guarded(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[circuit_breaker(breaker = stack.breakers[0], on = |error| stack.is_recorded(0, error))]
#[circuit_breaker(breaker = stack.breakers[1], on = |error| stack.is_recorded(1, error))]
async fn guarded_twice(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[circuit_breaker(breaker = stack.breakers[0], on = |error| stack.is_recorded(0, error))]
#[retry(
    policy = stack.retry,
    on = |error| stack.is_repeated(error),
    on_retry = |event| stack.retried(event),
)]
async fn guarded_retry(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[circuit_breaker(breaker = stack.breakers[0], on = |error| stack.is_recorded(0, error))]
#[timeout(stack.limit(0), error = |rejected| stack.timed_out(rejected))]
async fn guarded_timeout(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[fallback(value = stack.replacement(), on = |error| stack.is_replaced(error))]
#[retry(
    policy = stack.retry,
    on = |error| stack.is_repeated(error),
    on_retry = |event| stack.retried(event),
)]
async fn fallback_retry(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[fallback(value = stack.replacement(), on = |error| stack.is_replaced(error))]
#[retry(
    policy = stack.retry,
    on = |error| stack.is_repeated(error),
    on_retry = |event| stack.retried(event),
)]
#[circuit_breaker(breaker = stack.breakers[0], on = |error| stack.is_recorded(0, error))]
async fn fallback_retry_guarded(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[retry(
    policy = stack.retry,
    on = |error| stack.is_repeated(error),
    on_retry = |event| stack.retried(event),
)]
#[circuit_breaker(breaker = stack.breakers[0], on = |error| stack.is_recorded(0, error))]
async fn retry_guarded(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[retry(
    policy = stack.retry,
    on = |error| stack.is_repeated(error),
    on_retry = |event| stack.retried(event),
)]
#[fallback(value = stack.replacement(), on = |error| stack.is_replaced(error))]
async fn retry_fallback(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

/// Two functions: `#[timeout]` above `#[circuit_breaker]` requires `on_cancel = …`, which is not
/// allowed with `breaker = …`.
#[timeout(stack.limit(0), error = |rejected| stack.timed_out(rejected))]
async fn timeout_guarded(stack: &Stack<'_>) -> Answer {
    guarded(stack).await
}

#[timeout(stack.limit(0), error = |rejected| stack.timed_out(rejected))]
#[retry(
    policy = stack.retry,
    on = |error| stack.is_repeated(error),
    on_retry = |event| stack.retried(event),
)]
async fn timeout_retry(stack: &Stack<'_>) -> Answer {
    stack.body().await
}

#[timeout(stack.limit(0), error = |rejected| stack.timed_out(rejected))]
#[timeout(stack.limit(1), error = |rejected| stack.timed_out(rejected))]
async fn timeout_timeout(stack: &Stack<'_>) -> Answer {
    stack.body().await
}
