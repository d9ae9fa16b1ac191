// The default counts too.
use resilience::{Rejected, idempotent, retry};

#[idempotent(key = id, scope = global)]
#[retry(deadline = "2d")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
