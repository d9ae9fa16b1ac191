// What is tried for as long as it is remembered, and what cannot be told here.
use std::time::Duration;

use resilience::{Rejected, RetryPolicy, idempotent, retry};

const LONG: Duration = Duration::from_secs(7200);
static RETRY: RetryPolicy = RetryPolicy::new();

#[idempotent(key = 1, scope = global, ttl = "1h")]
#[retry(deadline = "1h")]
fn just_as_long() -> Result<(), Rejected> {
    Ok(())
}

#[idempotent(key = 1, scope = global, ttl = "1h")]
#[retry(deadline = LONG)]
fn constant() -> Result<(), Rejected> {
    Ok(())
}

#[idempotent(key = 1, scope = global, ttl = "1h")]
#[retry(policy = RETRY)]
fn policy() -> Result<(), Rejected> {
    Ok(())
}

#[idempotent(key = 1, scope = global, ttl = "1h")]
#[retry(attempts = "unlimited")]
fn unlimited() -> Result<(), Rejected> {
    Ok(())
}

fn main() {
    for call in [just_as_long, constant, policy, unlimited] {
        assert_eq!(call(), Ok(()));
    }
}
