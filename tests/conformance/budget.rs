//! The area `budget`: the withdrawals of retries, driven by calls that are held at chosen points.
//!
//! Cases describe deposits and withdrawals separately. Here both belong to calls: a request is a
//! call held in the first attempt; a retry is a call whose first attempt fails, held in the second
//! attempt so that the attempt can still succeed.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::{FailureClass, RetryBudget, RetryPolicy, testing};
use serde_json::{Value, json};

use crate::case::{Skip, count, items, only, text};
use crate::report;

pub(crate) fn check(case: &Value) -> Result<Vec<String>, Skip> {
    let _clock = testing::clock();
    match text(&case["config"]["kind"]) {
        "token_cost" => token_cost(case),
        "deposit_withdraw" => deposit_withdraw(case),
        kind => Err(format!("budget `{kind}` is not built")),
    }
}

fn token_cost(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    only(config, &["kind", "capacity", "cost", "success_increment"])?;
    let number = |value: &Value| count(value).unwrap_or_default();
    let costs = &config["cost"];
    let earned = config["success_increment"].as_f64().filter(|earned| *earned <= 1.0);
    let budget = RetryBudget::new()
        .capacity(number(&config["capacity"]))
        .costs(number(&costs["transient"]), number(&costs["throttling"]))
        .per_success(earned.ok_or("a success that earns more than a token is not implemented")?);
    let bench = Bench::new(budget);
    let mut retrying: Vec<(String, Call)> = Vec::new();
    Ok(report::per_event(case, |event| {
        let mut allowed = None;
        for _ in 0..count(&event["count"]).unwrap_or(1) {
            let kind = text(&event["error_kind"]).to_owned();
            match (text(&event["op"]), event["refund"].as_str()) {
                ("retry", _) => {
                    let mut call = bench.start();
                    let failure = if kind == "throttling" {
                        FailureClass::throttled(None)
                    } else {
                        FailureClass::transient()
                    };
                    allowed = Some(call.answer(Err(failure)).is_pending());
                    retrying.push((kind, call));
                }
                ("success", None) => assert!(bench.start().answer(Ok(())).is_ready()),
                // A call in its retry succeeds.
                (_, Some(refund)) => {
                    let of_kind = |(kind, call): &(String, Call)| kind == refund && !call.done;
                    let index = retrying.iter().position(of_kind).expect("a retry to give back");
                    assert!(retrying.swap_remove(index).1.answer(Ok(())).is_ready());
                }
                (other, None) => panic!("op `{other}` is not built"),
            }
        }
        json!({ "tokens": bench.budget.tokens(), "retry_allowed": allowed })
    }))
}

fn deposit_withdraw(case: &Value) -> Result<Vec<String>, Skip> {
    let config = &case["config"];
    only(config, &["kind", "percent_can_retry", "reserve_retries"])?;
    let share = config["percent_can_retry"].as_f64().ok_or("a share is missing")?;
    let bench = Bench::new(RetryBudget::ratio(share));
    // The calls of retries without a request start while the bucket is full, and so earn nothing;
    // then the tokens outside the case's reserve are spent.
    let ops = items(&case["events"]).iter();
    let retries = ops.filter(|event| event["op"] == "retry");
    let retries: u32 = retries.map(|event| count(&event["count"]).unwrap_or(1)).sum();
    let reserve = count(&config["reserve_retries"]).unwrap_or_default();
    let excess =
        bench.budget.tokens().checked_sub(reserve).ok_or("a reserve above 100 is not built")?;
    let mut held: Vec<Call> = (0..retries + excess).map(|_| bench.start()).collect();
    let fail = |mut call: Call| {
        let allowed = call.answer(Err(FailureClass::transient())).is_pending();
        (allowed, call)
    };
    let mut spent: Vec<_> =
        held.split_off(held.len() - excess as usize).into_iter().map(fail).collect();
    Ok(report::per_event(case, |event| {
        let mut allowed = None;
        for _ in 0..count(&event["count"]).unwrap_or(1) {
            if event["op"] == "request" {
                held.push(bench.start());
            } else {
                spent.push(fail(held.pop().expect("as many calls as retries")));
                allowed = spent.last().map(|(allowed, _)| *allowed);
            }
        }
        json!({ "allowed": allowed })
    }))
}

/// A budget, and a policy with the budget.
struct Bench {
    budget: &'static RetryBudget,
    policy: &'static RetryPolicy,
}

impl Bench {
    fn new(budget: RetryBudget) -> Self {
        let budget: &'static RetryBudget = Box::leak(Box::new(budget));
        let policy =
            RetryPolicy::new().attempts(2).fixed().base_delay(Duration::ZERO).budget(budget);
        Self { budget, policy: Box::leak(Box::new(policy)) }
    }

    /// A call held in the first attempt.
    fn start(&self) -> Call {
        let answer: Answer = Rc::default();
        let (policy, answered) = (self.policy, Rc::clone(&answer));
        let attempt = move || {
            let answered = Rc::clone(&answered);
            poll_fn(move |_| answered.take().map_or(Poll::Pending, Poll::Ready))
        };
        let future =
            async move { policy.on(|class: &FailureClass| *class).run_async(attempt).await };
        let mut call = Call { future: Box::pin(future), answer, done: false };
        assert!(call.poll().is_pending(), "not answered yet");
        call
    }
}

type Outcome = Result<(), FailureClass>;
type Answer = Rc<Cell<Option<Outcome>>>;

/// A call with attempts answered by the test.
struct Call {
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    answer: Answer,
    done: bool,
}

impl Call {
    /// Answers the held attempt; ready if the call ends.
    fn answer(&mut self, outcome: Outcome) -> Poll<Outcome> {
        self.answer.set(Some(outcome));
        // A zero delay yields once.
        let first = self.poll();
        if first.is_ready() { first } else { self.poll() }
    }

    fn poll(&mut self) -> Poll<Outcome> {
        let poll = self.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.done |= poll.is_ready();
        poll
    }
}
