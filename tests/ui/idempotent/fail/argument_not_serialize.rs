// What the call is about must be written down; a handle is left out.
use resilience::{Rejected, idempotent};

struct Client;

#[idempotent(key = id, scope = "global")]
fn call(id: &str, client: &Client) -> Result<(), Rejected> {
    Ok(drop((id, client)))
}

fn main() {
    let _ = call("a", &Client);
}
