// No place to wait in, by a constant.
use resilience::bulkhead;

const NONE: u32 = 0;

#[bulkhead(max = 10, queue = NONE, wait = "1s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
