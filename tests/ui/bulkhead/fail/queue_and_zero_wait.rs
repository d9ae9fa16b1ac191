// No time to wait for.
use resilience::bulkhead;

#[bulkhead(max = 10, queue = 20, wait = "0s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
