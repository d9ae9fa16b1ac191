// A limit of keys needs a key.
use resilience::bulkhead;

#[bulkhead(max = 10, max_keys = 100)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
