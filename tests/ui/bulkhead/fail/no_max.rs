// How many at once?
use resilience::bulkhead;

#[bulkhead]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
