//! Events, rejections and hooks of a policy with a state per key have the label of the key.

use resilience::{Rejected, StateChange, bulkhead, circuit_breaker, rate_limit};
use std::sync::Mutex;

use crate::logged;

#[derive(Debug, PartialEq)]
enum Failure {
    Down,
    Rejected(String),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected.to_string())
    }
}

/// Returns the lines without the label of a key.
fn without(label: &str, log: &[String]) -> Vec<String> {
    let label = format!("key=\"{label}\"");
    log.iter().filter(|line| !line.contains(&label)).cloned().collect()
}

#[test]
fn a_breaker_per_key_has_the_label_in_events_rejections_and_hooks() {
    static SEEN: Mutex<Vec<Option<String>>> = Mutex::new(Vec::new());
    fn hook(change: &StateChange) {
        SEEN.lock().expect("a mutex").push(change.key.as_deref().map(str::to_owned));
    }
    #[circuit_breaker(
        failure_threshold = 1,
        key = host,
        key_label = host,
        on_state_change = hook,
        name = "breaker"
    )]
    fn call(host: &str) -> Result<(), Failure> {
        let _ = host;
        Err(Failure::Down)
    }
    let log = logged(|| {
        assert_eq!(call("pricing"), Err(Failure::Down));
        let Err(Failure::Rejected(text)) = call("pricing") else { panic!("rejected") };
        assert!(text.starts_with("breaker (pricing): circuit open"), "{text}");
    });
    assert_eq!((log.len(), without("pricing", &log)), (2, Vec::new()), "{log:?}");
    assert_eq!(*SEEN.lock().expect("a mutex"), [Some("pricing".to_owned())]);
}

#[test]
fn a_low_rate_warning_has_the_label() {
    #[circuit_breaker(
        failure_rate = 0.5,
        window = "1m",
        min_calls = 100,
        key = host,
        key_label = host,
        name = "rare"
    )]
    fn call(host: &str) -> Result<(), Failure> {
        let _ = host;
        Err(Failure::Down)
    }
    let log = logged(|| {
        let clock = resilience::testing::clock();
        for _ in 0..200 {
            assert_eq!(call("pricing"), Err(Failure::Down));
            clock.advance(std::time::Duration::from_secs(1));
        }
    });
    assert_eq!((log.len(), without("pricing", &log)), (1, Vec::new()), "{log:?}");
}

#[test]
fn limits_per_key_have_the_label_in_events_and_rejections() {
    #[rate_limit(rate = 1, per = "1m", key = user, key_label = user, name = "limit")]
    fn limited(user: &str) -> Result<(), Failure> {
        let _ = user;
        Ok(())
    }
    #[bulkhead(max = 1, key = user, key_label = user, name = "bulkhead")]
    fn isolated(user: &str, inner: fn() -> Result<(), Failure>) -> Result<(), Failure> {
        let _ = user;
        inner()
    }
    let log = logged(|| {
        assert_eq!(limited("ann"), Ok(()));
        let Err(Failure::Rejected(text)) = limited("ann") else { panic!("rejected") };
        assert_eq!(text, "limit (ann): rate limit reached; retry after 60s");
        let nested = isolated("ann", || isolated("ann", || Ok(())));
        assert_eq!(nested, Err(Failure::Rejected("bulkhead (ann): bulkhead full".into())));
    });
    assert_eq!((log.len(), without("ann", &log)), (2, Vec::new()), "{log:?}");
}
