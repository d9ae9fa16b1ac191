//! Settings that are loaded before the first policy of the process: alone in the process.
#![cfg(feature = "tracing")]

use std::sync::Mutex;

use resilience::{load_environment_from, retry};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static LEVELS: Mutex<Vec<Level>> = Mutex::new(Vec::new());

/// Keeps the level of each event about names without a policy.
struct Levels;

impl Subscriber for Levels {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilience" && metadata.fields().field("names").is_some()
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        LEVELS.lock().expect("no panic").push(*event.metadata().level());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn names_without_a_policy_are_a_warning_after_the_first_policy_only() {
    #[retry(attempts = 2, base_delay = "1ns", name = "start::order")]
    fn order() -> Result<(), &'static str> {
        Err("down")
    }
    let load = |name: &str| {
        let variables = [(format!("RESILIENCE__START__{name}__RETRY__ATTEMPTS"), "3")];
        load_environment_from(variables).expect("valid settings").unmatched
    };
    tracing::subscriber::with_default(Levels, || {
        assert_eq!(load("ORDER").len(), 1);
        assert!(order().is_err());
        assert_eq!(load("ORDRE").len(), 1);
        assert!(load("ORDER").is_empty());
    });
    assert_eq!(*LEVELS.lock().expect("no panic"), [Level::INFO, Level::WARN]);
}
