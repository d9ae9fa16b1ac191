// The rules hold for constants, in the same words.
use resilience::bulkhead;

const NONE: u32 = 0;

#[bulkhead(max = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
