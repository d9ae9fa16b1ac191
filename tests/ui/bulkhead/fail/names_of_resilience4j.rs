// The names of Resilience4j.
use resilience::bulkhead;

#[bulkhead(max_concurrent_calls = 25, max_wait_duration = "100ms")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
