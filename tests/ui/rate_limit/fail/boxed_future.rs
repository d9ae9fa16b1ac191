// The same in a box.
use std::pin::Pin;

use resilience::rate_limit;

#[rate_limit(rate = 10)]
fn call() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    Box::pin(async { Err(()) })
}

fn main() {
    drop(call());
}
