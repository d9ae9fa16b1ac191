// Literals that break a rule, alone or together with another key.

use resilience::{Rejected, idempotent, retry};

// The default of `ttl` is shorter than the deadline.
#[idempotent(key = id, scope = global)]
//~ error at `#[idempotent(key = id, scope = global)]`: `ttl`, which is 24h where it is not given, is shorter than the 172800s for which the `#[retry]` on this function goes on trying, so a call could be forgotten that is still repeated
#[retry(deadline = "2d")]
fn default_ttl_below_deadline(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// The default of `ttl` is shorter.
#[idempotent(key = id, scope = global, lease = "2d")]
//~ error at `"2d"`: `lease` is not shorter than `ttl`, which is 24h where it is not given, so a running call could be forgotten
fn lease_above_default_ttl(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = global, ttl = "10s", lease = "10s")]
//~ error at `"10s"`: `lease` is not shorter than `ttl`, so a running call could be forgotten
fn lease_above_ttl(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

mod policy_and_keys {
    use resilience::{Rejected, idempotent};
    use resilience::idempotent::IdempotencyPolicy;

    static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("charge");

    #[idempotent(key = id, scope = global, policy = CHARGE, ttl = "1h", concurrent = reject, on_interrupted = unknown, name = "x")]
    //~ error at `ttl`: `ttl` and `policy` exclude each other: what comes from elsewhere has its own, set where it is made
    //~ error at `concurrent`: `concurrent` and `policy` exclude each other: what comes from elsewhere has its own, set where it is made
    //~ error at `name`: `name` and `policy` exclude each other: what comes from elsewhere has its own, set where it is made
    //~ error at `on_interrupted`: `on_interrupted` and `policy` exclude each other: what comes from elsewhere has its own, set where it is made
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

#[idempotent(step = "charge", key = id, scope = global, optional_key)]
//~ error at `key`: `key` and `step` exclude each other: a step has the key of the call around it
//~ error at `scope`: `scope` and `step` exclude each other: a step has the key of the call around it
//~ error at `optional_key`: `optional_key` and `step` exclude each other: a step has the key of the call around it
fn step_and_key(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = global, ttl = "1h")]
//~ error at `"1h"`: `ttl` is shorter than the 7200s for which the `#[retry]` on this function goes on trying, so a call could be forgotten that is still repeated
#[retry(deadline = "2h")]
fn ttl_below_deadline(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[retry(deadline = "2h")]
#[idempotent(key = id, scope = global, ttl = "1h")]
//~ error at `"1h"`: `ttl` is shorter than the 7200s for which the `#[retry]` on this function goes on trying, so a call could be forgotten that is still repeated
fn ttl_below_deadline_above(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// The default of `lease` is longer.
#[idempotent(key = id, scope = global, ttl = "30s")]
//~ error at `"30s"`: `lease`, which is 30s where it is not given, is not shorter than `ttl`, so a running call could be forgotten
fn ttl_below_default_lease(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// Without a deadline the delays decide.
#[idempotent(key = id, scope = global, ttl = "1m", lease = "10s")]
//~ error at `"1m"`: `ttl` is shorter than the 80s for which the `#[retry]` on this function goes on trying, so a call could be forgotten that is still repeated
#[retry(attempts = 5, backoff = "fixed", base_delay = "20s", max_delay = "20s")]
fn ttl_below_delays(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// The last delay of the list repeats.
#[idempotent(key = id, scope = global, ttl = "1m", lease = "10s")]
//~ error at `"1m"`: `ttl` is shorter than the 70s for which the `#[retry]` on this function goes on trying, so a call could be forgotten that is still repeated
#[retry(attempts = 4, backoff = ["10s", "30s"])]
fn ttl_below_listed_delays(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = global, lease = "0ms")]
//~ error at `"0ms"`: `lease` is zero, so every call would count as dead
fn zero_lease(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = global, store_timeout = "0s")]
//~ error at `"0s"`: `store_timeout` is zero, so the store could never answer
fn zero_store_timeout(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

#[idempotent(key = id, scope = global, ttl = "0s")]
//~ error at `"0s"`: `ttl` is zero, so nothing would be remembered
fn zero_ttl(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}
