// The error type of another crate.
use resilience::timeout;

#[timeout("5s")]
async fn call() -> Result<(), String> {
    Err(String::new())
}

fn main() {
    drop(call());
}
