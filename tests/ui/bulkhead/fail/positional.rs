// The number has a key.
use resilience::bulkhead;

#[bulkhead(10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
