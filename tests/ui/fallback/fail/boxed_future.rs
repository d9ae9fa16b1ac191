// The same in a box.
use std::pin::Pin;

use resilience::fallback;

#[fallback(value = ())]
fn call() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    Box::pin(async { Err(()) })
}

fn main() {
    drop(call());
}
