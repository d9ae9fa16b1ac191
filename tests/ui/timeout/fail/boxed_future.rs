// The same in a box.
use std::pin::Pin;

use resilience::timeout;

#[timeout("5s")]
fn call() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    Box::pin(async { Err(()) })
}

fn main() {
    drop(call());
}
