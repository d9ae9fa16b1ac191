// The same of a list, whose last delay repeats.
use resilience::{Rejected, idempotent, retry};

#[idempotent(key = id, scope = global, ttl = "1m", lease = "10s")]
#[retry(attempts = 4, backoff = ["10s", "30s"])]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
