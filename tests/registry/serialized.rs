//! Reports as JSON.

use resilience::{CircuitBreaker, explain, health};

use crate::policy;

#[test]
fn reports_explanations_and_health_are_serialized() {
    let breaker = CircuitBreaker::new().failure_threshold(1).name("serialized::breaker");
    breaker.try_acquire().expect("closed").failure();
    let report = serde_json::to_value(policy("serialized::breaker")).expect("JSON");
    assert_eq!(report["kind"], "circuit_breaker");
    assert_eq!(report["state"], "open");
    assert_eq!(report["settings"][0]["name"], "failure_threshold");
    assert_eq!(report["settings"][0]["value"], "1");
    assert_eq!(report["settings"][0]["origin"], "code");
    assert!(report["location"]["line"].as_u64().is_some_and(|line| line > 0));
    let figures = report["figures"].as_array().expect("a list");
    let failures = figures.iter().find(|figure| {
        figure["name"] == "resilience.calls" && figure["labels"]["resilience.outcome"] == "failure"
    });
    assert_eq!(failures.expect("a figure")["value"], 1);
    let explained = serde_json::to_value(explain("serialized::breaker")).expect("JSON");
    assert_eq!(explained[0]["layers"][0]["kind"], "circuit_breaker");
    let health = serde_json::to_value(health()).expect("JSON");
    let degraded = health["degraded"].as_array().expect("a list");
    assert!(degraded.iter().any(|policy| policy["name"] == "serialized::breaker"));
}
