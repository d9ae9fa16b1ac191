// A `const fn` has no clock.
use resilience::bulkhead;

#[bulkhead(max = 10)]
const fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
