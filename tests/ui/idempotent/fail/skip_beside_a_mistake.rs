// `#[skip]` is ours, and taken off whatever else is wrong.
use resilience::{Rejected, idempotent};

#[idempotent(key = id)]
fn call(id: &str, #[skip] client: u32) -> Result<(), Rejected> {
    Ok(drop((id, client)))
}

fn main() {
    let _ = call("a", 7);
}
