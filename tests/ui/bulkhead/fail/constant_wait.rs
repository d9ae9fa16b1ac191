// No time to wait for, by a constant.
use std::time::Duration;

use resilience::bulkhead;

#[bulkhead(max = 10, queue = 5, wait = Duration::ZERO)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
