//! The registry: each policy is listed with its settings, state and figures.

mod changes;
mod counts;
#[cfg(feature = "figures")]
mod explain;
mod health;
mod idempotent;
mod keys;
mod layers;
mod listing;
#[cfg(feature = "serde")]
mod serialized;
#[cfg(feature = "figures")]
mod successes;
mod waits;

use resilience::{PolicyReport, policies};

/// Returns the only policy of this name.
fn policy(name: &str) -> PolicyReport {
    let mut found = policies().into_iter().filter(|policy| policy.name == name);
    let policy = found.next().unwrap_or_else(|| panic!("{name} is not listed"));
    assert_eq!(found.next(), None, "{name} is listed twice");
    policy
}
