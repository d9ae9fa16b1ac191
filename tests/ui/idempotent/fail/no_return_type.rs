// Neither can what returns nothing.
use resilience::idempotent;

#[idempotent(key = id, scope = "global")]
fn call(id: &str) {
    drop(id);
}

fn main() {
    let _ = call("a");
}
