// A bulkhead is no name.
use resilience::bulkhead;

#[bulkhead(bulkhead = "payments")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
