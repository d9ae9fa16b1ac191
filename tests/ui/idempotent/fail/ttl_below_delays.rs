// Without a deadline it is the delays that count.
use resilience::{Rejected, idempotent, retry};

#[idempotent(key = id, scope = global, ttl = "1m", lease = "10s")]
#[retry(attempts = 5, backoff = "fixed", base_delay = "20s", max_delay = "20s")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
