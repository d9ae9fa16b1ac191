// What is tried for longer than it is remembered runs twice.
use resilience::{Rejected, idempotent, retry};

#[idempotent(key = id, scope = global, ttl = "1h")]
#[retry(deadline = "2h")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
