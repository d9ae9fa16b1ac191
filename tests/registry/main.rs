//! The registry: each policy is listed with its settings, state and figures.

mod changes;
mod counts;
#[cfg(feature = "duration-histograms")]
mod durations;
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

use resilience::{PolicyKind, PolicyReport, policies};

/// Returns the only policy of this name, beside the function as a whole.
fn policy(name: &str) -> PolicyReport {
    let is_it = |it: &PolicyReport| it.name == name && it.kind != PolicyKind::Function;
    let mut found = policies().into_iter().filter(is_it);
    let policy = found.next().unwrap_or_else(|| panic!("{name} is not listed"));
    assert_eq!(found.next(), None, "{name} is listed twice");
    policy
}
