// The name of a step is a text.
use resilience::{Rejected, idempotent};

#[idempotent(step = charge)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
