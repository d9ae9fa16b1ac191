// A number is no duration.
use resilience::bulkhead;

#[bulkhead(max = 10, wait = 100)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
