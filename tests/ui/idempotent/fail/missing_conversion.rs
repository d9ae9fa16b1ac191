// An error must be able to say that the call was turned away.
use resilience::idempotent;

#[allow(dead_code)]
#[derive(Debug)]
enum ApiError {
    Down,
}

#[idempotent(key = id, scope = "global")]
fn call(id: &str) -> Result<(), ApiError> {
    Ok(drop(id))
}

fn main() {
    let _ = call("a");
}
