// Neither is a number in a `static`.
use resilience::{Rejected, idempotent};

static STORE: u32 = 7;

#[idempotent(key = id, scope = "global", store = &STORE)]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
