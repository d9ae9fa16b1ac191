// The same in a box.
use std::pin::Pin;

use resilience::bulkhead;

#[bulkhead(max = 10)]
fn call() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    Box::pin(async { Err(()) })
}

fn main() {
    drop(call());
}
