//! The words of states and of reasons, in logs, figures and stored snapshots.

use std::collections::BTreeSet;

use resilience::{ChangeReason, CircuitState, FailureKind};

const STATES: [CircuitState; 5] = [
    CircuitState::Closed,
    CircuitState::Open,
    CircuitState::HalfOpen,
    CircuitState::ForcedOpen,
    CircuitState::Disabled,
];

const REASONS: [(ChangeReason, &str); 10] = [
    (ChangeReason::Failure(FailureKind::Transient), "transient failure"),
    (ChangeReason::Failure(FailureKind::Throttled), "throttled failure"),
    (ChangeReason::Failure(FailureKind::Permanent), "permanent failure"),
    (ChangeReason::Panic, "panic"),
    (ChangeReason::Cancelled, "cancelled call"),
    (ChangeReason::SlowCalls, "slow calls"),
    (ChangeReason::OpenTimeOver, "open time over"),
    (ChangeReason::TrialCalls, "successful trial calls"),
    (ChangeReason::Manual, "manual control"),
    (ChangeReason::Remote, "other process"),
];

#[test]
fn a_state_is_read_from_its_words() {
    for state in STATES {
        assert_eq!(state.to_string().parse(), Ok(state));
    }
    for word in ["", "Open", "half_open", "forced-open"] {
        let error = word.parse::<CircuitState>().unwrap_err().to_string();
        assert!(STATES.iter().all(|state| error.contains(&format!("`{state}`"))), "{error}");
    }
}

/// The labels of figures are one word, so a query needs no quotes inside a value.
#[test]
fn every_reason_has_a_text_and_a_label() {
    let labels: BTreeSet<&str> = REASONS.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(labels.len(), REASONS.len());
    for (reason, text) in REASONS {
        assert_eq!(reason.to_string(), text);
        let is_label = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(reason.as_str().chars().all(is_label), "{}", reason.as_str());
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_reason_is_stored_as_its_label() {
    for (reason, _) in REASONS {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}
