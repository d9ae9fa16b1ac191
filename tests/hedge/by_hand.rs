//! `HedgePolicy`, and the hook of the attribute.

use std::cell::Cell;

use resilience::{
    Classify, HedgeCause, HedgePolicy, PolicyKind, Rejected, RetryBudget, RetryPolicy, hedge,
    policies, testing,
};

use super::*;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Runs the attempts of a call: each takes a time and ends with a result.
async fn script(
    log: &Log,
    script: &[(u64, Result<u32, &'static str>)],
) -> Result<u32, &'static str> {
    let (attempt, _running) = log.start();
    let (takes, result) = script[attempt];
    sleep(takes).await;
    result
}

#[tokio::test(start_paused = true)]
async fn the_first_success_drops_the_other_attempts() {
    let policy = HedgePolicy::after(millis(50)).max(2);
    let log = Log::new();
    let plan = [(900, Ok(0)), (900, Ok(1)), (10, Ok(2))];
    assert_eq!(policy.run_async(|| script(&log, &plan)).await, Ok(2));
    assert_eq!((log.starts(), log.ends()), (vec![0, 50, 100], vec![110; 3]));
    // A failure starts the next attempt at once.
    let log = Log::new();
    let plan = [(10, Err("down")), (10, Ok(1))];
    assert_eq!(policy.run_async(|| script(&log, &plan)).await, Ok(1));
    assert_eq!(log.starts(), [0, 10]);
}

#[tokio::test(start_paused = true)]
async fn predicates_and_a_hook() {
    static POLICY: HedgePolicy = HedgePolicy::after(Duration::from_millis(50)).name("by hand");
    let causes = RefCell::new(Vec::new());
    let run = async |plan: &[(u64, Result<u32, &'static str>)]| {
        let log = Log::new();
        POLICY
            .on(|error: &&str| *error != "not found")
            .on_ok(|value| *value == 503)
            .on_hedge(|event| causes.borrow_mut().push((event.name, event.hedge, event.cause)))
            .run_async(|| script(&log, plan))
            .await
    };
    assert_eq!(run(&[(10, Err("not found"))]).await, Err("not found"));
    assert_eq!(*causes.borrow(), []);
    assert_eq!(run(&[(10, Ok(503)), (10, Ok(7))]).await, Ok(7));
    assert_eq!(run(&[(90, Ok(1)), (90, Ok(7))]).await, Ok(1));
    assert_eq!(
        *causes.borrow(),
        [("by hand", 1, HedgeCause::Failure), ("by hand", 1, HedgeCause::Delay)]
    );
    let report = policies().into_iter().find(|policy| policy.name == "by hand").unwrap();
    assert_eq!(report.kind, PolicyKind::Hedge);
    assert_eq!(report.count("resilience.hedge.hedges", &["delay"]), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shared_budget_limits_the_hedges() {
    static BUDGET: RetryBudget = RetryBudget::bucket(1);
    let policy = HedgePolicy::after(millis(50)).budget(&BUDGET);
    let mut attempts = 0;
    for _ in 0..3 {
        let log = Log::new();
        let plan = [(90, Ok(0)), (90, Ok(1))];
        assert_eq!(policy.run_async(|| script(&log, &plan)).await, Ok(0));
        attempts += log.starts().len();
    }
    assert_eq!(attempts, 4);
}

#[tokio::test(start_paused = true)]
async fn a_quantile_is_learned() {
    let policy = HedgePolicy::after_quantile(0.95).warm_up(millis(70));
    let hedged_at = async |takes| {
        let log = Log::new();
        let plan = [(takes, Ok(0)), (takes, Ok(1))];
        policy.run_async(|| script(&log, &plan)).await.unwrap();
        log.starts().get(1).copied()
    };
    assert_eq!(hedged_at(90).await, Some(70));
    for _ in 0..40 {
        hedged_at(20).await;
    }
    let learned = hedged_at(90).await.unwrap();
    assert!((19..=21).contains(&learned), "{learned}");
}

/// All latencies above 275 s share a bucket.
#[tokio::test(start_paused = true)]
async fn a_quantile_of_long_calls_is_learned() {
    let policy = HedgePolicy::after_quantile(0.95).warm_up(millis(400_000));
    let hedged_at = async |takes| {
        let log = Log::new();
        let plan = [(takes, Ok(0)), (takes, Ok(1))];
        policy.run_async(|| script(&log, &plan)).await.unwrap();
        log.starts().get(1).copied()
    };
    for _ in 0..20 {
        assert_eq!(hedged_at(300_000).await, None);
    }
    let learned = hedged_at(300_000).await.unwrap();
    assert!((269_000..=275_000).contains(&learned), "{learned}");
}

/// A policy without hedges, and values outside of the bounds.
#[tokio::test(start_paused = true)]
async fn every_value_is_accepted() {
    for policy in [
        HedgePolicy::after(Duration::ZERO).max(0),
        HedgePolicy::after(Duration::MAX).max(255),
        HedgePolicy::after_quantile(f64::NAN),
        HedgePolicy::after_quantile(-1.0),
        HedgePolicy::after_quantile(1e300).warm_up(Duration::MAX),
    ] {
        let log = Log::new();
        assert_eq!(policy.run_async(|| script(&log, &[(90, Ok(0))])).await, Ok(0));
        assert_eq!(log.starts(), [0]);
    }
}

/// The class of the error names the rejection, which is no attempt.
#[tokio::test(start_paused = true)]
async fn a_rejected_hedge_is_no_attempt() {
    let limit = resilience::Bulkhead::new(1);
    let policy = HedgePolicy::after(millis(50)).max(3);
    let runs = Cell::new(0);
    let body = || {
        limit.run_async(async {
            runs.set(runs.get() + 1);
            sleep(500).await;
            Ok::<_, Rejected>(())
        })
    };
    assert_eq!(policy.on(Rejected::classify).run_async(body).await, Ok(()));
    assert_eq!(runs.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_hook_of_the_attribute_can_use_the_arguments() {
    #[hedge(after = "50ms", max = 2, idempotent, on_hedge = |event| {
        assert!(event.name.ends_with("::search"));
        events.borrow_mut().push((event.hedge, event.cause.as_str()));
    })]
    async fn search(
        log: &Log,
        events: &RefCell<Vec<(u32, &'static str)>>,
    ) -> Result<u32, &'static str> {
        script(log, &[(70, Err("down")), (90, Err("down")), (10, Ok(2))]).await
    }
    let _state = testing::fresh_state();
    let (log, events) = (Log::new(), RefCell::default());
    assert_eq!(search(&log, &events).await, Ok(2));
    assert_eq!(
        (log.starts(), events.into_inner()),
        (vec![0, 50, 70], vec![(1, "delay"), (2, "failure")])
    );
}

#[test]
fn the_future_of_a_call_is_send() {
    fn send<T: Send>(_: T) {}
    static POLICY: HedgePolicy = HedgePolicy::after(Duration::from_millis(50));
    send(POLICY.run_async(|| async { Ok::<_, String>(7) }));
}

/// Also if the budget has a token again before the next delay ends.
#[tokio::test(start_paused = true)]
async fn a_failure_over_budget_ends_the_hedges_of_the_call() {
    static BUDGET: RetryBudget = RetryBudget::bucket(1).per_call(1.0);
    let policy = HedgePolicy::after(millis(10)).max(2).budget(&BUDGET);
    let (log, plan) = (Log::new(), [(15, Err("down")), (900, Ok(1)), (10, Ok(2))]);
    let other_call = async {
        sleep(17).await;
        RetryPolicy::new().budget(&BUDGET).run(|| Ok::<_, ()>(()))
    };
    let (outcome, other) = tokio::join!(policy.run_async(|| script(&log, &plan)), other_call);
    assert_eq!((outcome, other, log.starts()), (Ok(1), Ok(()), vec![0, 10]));
}

#[tokio::test]
async fn policies_made_again_at_one_place_have_one_record() {
    for limit in 1..50 {
        let policy = HedgePolicy::after(Duration::from_millis(limit)).name("by hand, again");
        let out: Result<(), &str> = policy.run_async(|| async { Err("down") }).await;
        assert!(out.is_err());
    }
    let reports: Vec<_> =
        policies().into_iter().filter(|policy| policy.name == "by hand, again").collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].count("resilience.calls", &["failure"]), 49);
}

#[tokio::test]
async fn policies_without_a_name_share_no_name() {
    let (one, two) = (
        HedgePolicy::after(Duration::from_millis(1)),
        HedgePolicy::after(Duration::from_millis(1)),
    );
    for policy in [one, two] {
        let out: Result<(), &str> = policy.run_async(|| async { Err("down") }).await;
        assert!(out.is_err());
    }
    let mut unnamed = policies().into_iter().filter(|policy| policy.name == "hedge");
    assert!(unnamed.all(|policy| !policy.shares_name));
}

#[test]
fn a_policy_made_at_run_time_is_checked() {
    static NO_RATIO: RetryBudget = RetryBudget::ratio(f64::NAN);
    let after = || HedgePolicy::after(millis(50));
    for policy in [after(), after().max(9), HedgePolicy::after_quantile(0.95)] {
        assert_eq!(policy.validate(), Ok(()));
    }
    let is_broken = |policy: HedgePolicy, words: &str| {
        let error = policy.validate().expect_err(words).to_string();
        assert!(error.starts_with(words), "{error}");
    };
    is_broken(HedgePolicy::after(Duration::ZERO), "`after` is zero");
    for quantile in [0.4, 95.0, f64::NAN] {
        is_broken(HedgePolicy::after_quantile(quantile), "a quantile must be");
    }
    let warm_up = HedgePolicy::after_quantile(0.95).warm_up(Duration::ZERO);
    is_broken(warm_up, "`warm_up` is zero");
    for max in [0, 10] {
        is_broken(after().max(max), "`max` must be between 1 and 9");
    }
    is_broken(after().budget(&NO_RATIO), "`budget` must be a share");
}
