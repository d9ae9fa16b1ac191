// The same of an async function.
use resilience::idempotent;

#[idempotent(key = id, scope = "global")]
async fn call(id: &str) -> usize {
    id.len()
}

fn main() {
    drop(call("a"));
}
