// A number with a fraction is no key.
use resilience::{Rejected, idempotent};

#[idempotent(key = amount, scope = "global")]
fn call(amount: f64) -> Result<(), Rejected> {
    Ok(drop(amount))
}

fn main() {
    let _ = call(1.5);
}
