// What cannot fail cannot be turned away: one error, in our words.
use resilience::idempotent;

#[idempotent(key = id, scope = "global")]
fn call(id: &str) -> usize {
    id.len()
}

fn main() {
    let _ = call("a");
}
