// The same in a box.
use std::pin::Pin;

use resilience::circuit_breaker;

#[circuit_breaker]
fn call() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    Box::pin(async { Err(()) })
}

fn main() {
    drop(call());
}
