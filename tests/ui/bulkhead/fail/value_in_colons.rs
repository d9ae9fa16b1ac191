// A key and its value are joined by `=`.
use resilience::bulkhead;

#[bulkhead(max: 10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
