//! The figures of hedges, and the explanation of a hedged function.

use resilience::{
    Bulkhead, PolicyKind, PolicyReport, Rejected, bulkhead, explain, hedge, policies, retry,
};

use crate::{Log, sleep};

#[hedge(after = "10ms", max = 2, idempotent, name = "figures::counted")]
async fn counted(fails: bool, takes: u64) -> Option<()> {
    sleep(takes).await;
    (!fails).then_some(())
}

#[retry(attempts = 4, name = "figures::explained")]
#[hedge(after = "10ms", max = 2, idempotent, name = "figures::explained")]
async fn explained() -> Option<()> {
    sleep(1).await;
    None
}

#[hedge(after = "p99.9", warm_up = "10ms", idempotent, name = "figures::rejected")]
#[bulkhead(max = 1, name = "figures::limit")]
async fn rejected() -> Result<(), Rejected> {
    sleep(50).await;
    Ok(())
}

#[hedge(after = "10ms", idempotent, name = "figures::full")]
#[bulkhead(bulkhead = limit)]
async fn full(limit: &Bulkhead) -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "10ms", idempotent, name = "figures::won")]
async fn won(log: &Log) -> Option<usize> {
    let (attempt, _running) = log.start();
    sleep(if attempt == 0 { 1000 } else { 1 }).await;
    Some(attempt)
}

fn report(name: &str) -> PolicyReport {
    let found = policies().into_iter().find(|policy| policy.name == name);
    found.expect("a policy of this name")
}

#[tokio::test(start_paused = true)]
async fn hedges_are_counted_by_cause_and_effect() {
    let _ = policies();
    assert_eq!(counted(false, 1).await, Some(()));
    assert_eq!(counted(false, 15).await, Some(()));
    assert_eq!(counted(true, 1).await, None);
    let report = report("figures::counted");
    assert_eq!((report.kind, PolicyKind::Hedge.as_str()), (PolicyKind::Hedge, "hedge"));
    assert_eq!(report.count("resilience.hedge.hedges", &["delay"]), 1);
    assert_eq!(report.count("resilience.hedge.hedges", &["failure"]), 2);
    assert_eq!(report.count("resilience.hedge.wins", &[]), 0, "the first attempts won");
    assert_eq!(report.count("resilience.calls", &["success"]), 2);
    assert_eq!(report.count("resilience.calls", &["failure"]), 1);
    let settings: Vec<_> =
        report.settings.iter().map(|setting| (setting.name, setting.value.as_str())).collect();
    assert_eq!(settings, [("max", "2"), ("after", "10ms")]);
    assert_eq!(won(&Log::new()).await, Some(1));
    assert_eq!(self::report("figures::won").count("resilience.hedge.wins", &[]), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_hedges_are_counted_apart() {
    let _ = policies();
    assert!(rejected().await.is_ok());
    let report = report("figures::rejected");
    assert_eq!(report.count("resilience.hedge.omitted", &["rejected"]), 1);
    let after = report.settings.iter().find(|setting| setting.name == "after");
    assert_eq!(after.map(|setting| setting.value.as_str()), Some("p99.9"));
    // A rejected first attempt is no omitted hedge.
    let limit = Bulkhead::new(1);
    let _taken = limit.try_acquire().unwrap();
    assert!(full(&limit).await.is_err());
    let report = self::report("figures::full");
    assert_eq!(report.count("resilience.hedge.omitted", &["rejected"]), 0);
    assert_eq!(report.count("resilience.calls", &["failure"]), 1);
}

#[tokio::test(start_paused = true)]
async fn the_explanation_counts_all_attempts() {
    let _ = policies();
    assert_eq!(explained().await, None);
    let explanations = explain("figures::explained");
    assert_eq!(explanations[0].max_calls, Some(12));
    assert_eq!(explanations[0].layers[1].text, "at most 2 attempts beside the first");
}
