// A `const fn` has no store.
use resilience::{Rejected, idempotent};

#[idempotent(key = 1, scope = "global")]
const fn call() -> Result<(), Rejected> {
    Ok(())
}

fn main() {
    let _ = call();
}
