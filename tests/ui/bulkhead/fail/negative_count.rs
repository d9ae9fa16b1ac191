// A count is not negative.
use resilience::bulkhead;

#[bulkhead(max = -1)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
