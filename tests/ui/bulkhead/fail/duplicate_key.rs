// A key stands once.
use resilience::bulkhead;

#[bulkhead(max = 10, max = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
