// The same with the retry above.
use resilience::{Rejected, idempotent, retry};

#[retry(deadline = "2h")]
#[idempotent(key = id, scope = global, ttl = "1h")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
