// What is known at run time comes as a breaker.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = count)]
fn call(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

fn main() {
    let _ = call(1);
}
