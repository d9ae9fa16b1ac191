// The same of what is named.
use resilience::{Rejected, idempotent};

struct Client;

#[idempotent(key = id, scope = "global", fingerprint(id.len(), client))]
fn call(id: &str, client: &Client) -> Result<(), Rejected> {
    Ok(drop((id, client)))
}

fn main() {
    let _ = call("a", &Client);
}
