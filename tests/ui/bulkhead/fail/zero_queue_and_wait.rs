// No place to wait in.
use resilience::bulkhead;

#[bulkhead(max = 10, queue = 0, wait = "100ms")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
