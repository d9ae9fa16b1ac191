// The error type of another crate.
use resilience::bulkhead;

#[bulkhead(max = 10)]
async fn call() -> Result<(), String> {
    Err(String::new())
}

fn main() {
    drop(call());
}
