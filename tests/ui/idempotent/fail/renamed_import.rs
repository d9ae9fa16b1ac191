// A renamed import is not seen as a sibling.
use resilience::{Rejected, idempotent as once, retry};

#[retry]
#[once(key = id, scope = "global")]
fn call(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
