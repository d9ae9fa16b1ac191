//! Tables with a state per key: stale keys expire, and a full table still enforces the policy.

mod full;
mod max_open;
mod search;
mod settings;
mod shared;
mod stale;

use std::time::Duration;

use resilience::{KeyTableSnapshot, Rejected, key_tables};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn down() -> Rejected {
    Rejected::timed_out("upstream", ms(1))
}

fn table(name: &str) -> KeyTableSnapshot {
    let tables = key_tables();
    let found: Vec<_> = tables.iter().filter(|table| table.name == name).collect();
    assert_eq!(found.len(), 1, "{tables:?}");
    *found[0]
}
