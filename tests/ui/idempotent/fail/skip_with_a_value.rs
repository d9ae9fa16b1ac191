// `#[skip]` says all that there is to say.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = global)]
fn call(id: &str, #[skip = "a handle"] client: u32) -> Result<(), Rejected> {
    Ok(drop((id, client)))
}

fn main() {
    let _ = call("a", 7);
}
