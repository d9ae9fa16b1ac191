// What says what is kept says so.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global", keep = with(|out: &Result<(), ()>| out.is_ok()), error = |_: Rejected| ())]
fn call(id: &str) -> Result<(), ()> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
