//! The area `retry`: whole calls, blocking under the virtual clock and async under a paused tokio
//! runtime. Both must agree.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use resilience::{FailureClass, RetryEvent, RetryPolicy, testing};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::backoff;
use crate::case::{Skip, count, duration, items, millis, only, text};
use crate::report::compare;

/// The end of an attempt: the scripted event, as a value or as an error.
type Scripted = Result<Value, Value>;

/// The limit of attempts; beyond this number a call is endless.
const TOO_MANY: usize = 10_000;

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let call = Call::new(case)?;
    let (blocked, awaited) = (call.block(), call.wait());
    let (mut expected, mut found) = (&case["expect"], Vec::new());
    if let Some(blocked) = &blocked {
        compare(expected, blocked, "sync", &mut found);
        // The async call must agree where the case is silent, too.
        if found.is_empty() {
            expected = blocked;
        }
    }
    let delays = &blocked.as_ref().unwrap_or(&awaited)["delays_ms"];
    let is_whole = |delay: &Value| delay.as_f64().is_some_and(|delay| delay.fract() == 0.0);
    if items(delays).iter().all(is_whole) {
        compare(expected, &awaited, "async", &mut found);
    } else if blocked.is_none() {
        return Err("async only, where tokio rounds waits up to whole milliseconds".to_owned());
    }
    Ok(found)
}

/// A policy, and the predicates and hooks of a user.
struct Call<'c> {
    policy: RetryPolicy,
    config: &'c Value,
    script: &'c [Value],
    draws: Vec<f64>,
    cancel_at: Option<Duration>,
}

impl<'c> Call<'c> {
    fn new(case: &'c Value) -> Result<Self, Skip> {
        let (config, script) = (&case["config"], items(&case["events"]));
        let known = ["abort_on", "backoff", "cancel_at_ms", "elapsed", "exhausted", "max_attempts"];
        let known_too = ["retry_after", "retry_on", "retry_results", "rng"];
        only(config, &[known.as_slice(), &known_too].concat())?;
        let known = ["duration_ms", "error", "hook_delay_ms", "outcome", "retry_after_ms", "value"];
        for event in script {
            only(event, &known)?;
            if !matches!(text(&event["outcome"]), "ok" | "err") {
                return Err(format!("outcome {} is not built", event["outcome"]));
            }
        }
        if config.get("exhausted").is_some_and(|outcome| outcome != "last_outcome") {
            return Err("by design a call returns the last outcome".to_owned());
        }

        let draws: Vec<_> = items(&config["rng"]).iter().filter_map(Value::as_f64).collect();
        // Cases have no limit for the delay from a server or a hook.
        let mut policy =
            backoff::policy(&config["backoff"], &draws)?.max_retry_after(Duration::MAX);
        policy = match count(&config["max_attempts"]) {
            Some(attempts) => policy.attempts(attempts),
            None => policy.unlimited(),
        };
        if let Some(elapsed) = config.get("elapsed") {
            if elapsed["mode"] != "before_sleep" {
                return Err(format!("elapsed mode {} is not built", elapsed["mode"]));
            }
            policy = policy.deadline(duration(&elapsed["limit_ms"]).expect("a limit is a time"));
        }
        Ok(Self { policy, config, script, draws, cancel_at: duration(&config["cancel_at_ms"]) })
    }

    /// Runs the blocking call. Returns `None` if a blocking call cannot be cancelled as in the
    /// case: before the start and during a delay only the owner of a future can drop the call.
    fn block(&self) -> Option<Value> {
        let clock = testing::clock();
        let _draws = testing::draws(self.draws.iter().copied());
        let log = Log::default();
        let missed = Cell::new(false);
        let result = self
            .policy
            .on(|event| self.class(event, clock.elapsed()))
            .on_ok(|event| self.class(event, clock.elapsed()))
            .on_retry(|event| log.retry(event))
            .run(|| {
                missed.set(missed.get() || self.is_cancelled(clock.elapsed()));
                let event = log.attempt(self.script);
                clock.advance(duration(&event["duration_ms"]).unwrap_or_default());
                scripted(event)
            });
        (!missed.get()).then(|| log.in_case_words(Some(result), clock.elapsed()))
    }

    /// Runs the async call, and drops the future at the cancellation.
    fn wait(&self) -> Value {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        let _draws = testing::draws(self.draws.iter().copied());
        runtime.block_on(async {
            let start = Instant::now();
            let log = Log::default();
            let running = Cell::new(false);
            let call = self
                .policy
                .on(|event| self.class(event, start.elapsed()))
                .on_ok(|event| self.class(event, start.elapsed()))
                .on_retry(|event| log.retry(event))
                .run_async(async || {
                    running.set(true);
                    let event = log.attempt(self.script);
                    if let Some(duration) = duration(&event["duration_ms"]) {
                        sleep(duration).await;
                    }
                    running.set(false);
                    scripted(event)
                });
            let result = tokio::select! {
                // A call cancelled at the very end of a delay makes no further attempt.
                biased;
                () = cancelled(self.cancel_at, &running) => None,
                result = call => Some(result),
            };
            log.in_case_words(result, start.elapsed())
        })
    }

    /// Returns the class of an attempt that ends at `now`, as a user would write the predicate.
    fn class(&self, event: &Value, now: Duration) -> FailureClass {
        // With a cancellation token: after the cancellation no failure is worth a retry.
        if self.is_cancelled(now) || !self.is_repeated(event) {
            return FailureClass::permanent();
        }
        let (asked, exact) = (&event["retry_after_ms"], self.config["retry_after"] == "exact");
        if exact && asked.as_f64().is_some_and(|asked| asked < 0.0) {
            // A negative time is a server's "do not retry".
            return FailureClass::permanent();
        }
        let asked = if exact { duration(asked) } else { None };
        match duration(&event["hook_delay_ms"]).or(asked) {
            Some(after) => FailureClass::transient().after(after),
            None => FailureClass::transient(),
        }
    }

    fn is_repeated(&self, event: &Value) -> bool {
        let listed = |key: &str, value| items(&self.config[key]).contains(value);
        if event["outcome"] == "ok" {
            return listed("retry_results", &event["value"]);
        }
        let on = self.config.get("retry_on").is_none_or(|on| on == "any");
        (on || listed("retry_on", &event["error"])) && !listed("abort_on", &event["error"])
    }

    fn is_cancelled(&self, now: Duration) -> bool {
        self.cancel_at.is_some_and(|at| now >= at)
    }
}

/// Ready from `at` on, but not during an attempt: the attempt finishes, and its outcome is
/// returned.
async fn cancelled(at: Option<Duration>, running: &Cell<bool>) {
    let Some(at) = at else { return pending().await };
    let mut timer = pin!(sleep(at));
    poll_fn(|cx| match timer.as_mut().poll(cx) {
        Poll::Ready(()) if !running.get() => Poll::Ready(()),
        _ => Poll::Pending,
    })
    .await;
}

fn scripted(event: &Value) -> Scripted {
    if event["outcome"] == "ok" { Ok(event.clone()) } else { Err(event.clone()) }
}

/// The observations of a call.
#[derive(Default)]
struct Log {
    attempts: Cell<usize>,
    errors: RefCell<Vec<Value>>,
    retries: RefCell<Vec<(u32, f64)>>,
}

impl Log {
    /// Starts an attempt: returns the scripted event; the last repeats.
    fn attempt<'s>(&self, script: &'s [Value]) -> &'s Value {
        let attempt = self.attempts.replace(self.attempts.get() + 1);
        assert!(attempt < TOO_MANY, "the call does not end");
        let event = script.get(attempt).or(script.last()).expect("a script has an event");
        self.errors.borrow_mut().extend(event.get("error").cloned());
        event
    }

    fn retry(&self, event: &RetryEvent<'_, Value>) {
        self.retries.borrow_mut().push((event.attempt, millis(event.delay)));
    }

    /// Returns the observations in the words of the cases; a call without a result was cancelled.
    fn in_case_words(self, result: Option<Scripted>, elapsed: Duration) -> Value {
        let result = match result {
            Some(Ok(event)) => json!({ "kind": "ok", "value": event["value"] }),
            Some(Err(event)) => json!({ "kind": "err", "error": event["error"] }),
            None => json!({ "kind": "cancelled" }),
        };
        let (numbers, delays): (Vec<_>, Vec<_>) = self.retries.into_inner().into_iter().unzip();
        json!({
            "attempts": self.attempts,
            "delays_ms": delays,
            "elapsed_ms": millis(elapsed),
            "errors_seen": self.errors,
            "result": result,
            "retry_numbers": numbers,
        })
    }
}
