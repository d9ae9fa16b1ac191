// Neither is a type of one's own, until it says what its key is.
use resilience::{Rejected, idempotent};

struct Tenant;

#[idempotent(key = id, scope = tenant)]
fn call(id: &str, tenant: Tenant) -> Result<(), Rejected> {
    Ok(drop((id, tenant)))
}

fn main() {
    let _ = call("a", Tenant);
}
