// A constant threshold must fit into the window too.
use resilience::circuit_breaker;

const MANY: u32 = 11;

#[circuit_breaker(failure_threshold = MANY, window = 10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
