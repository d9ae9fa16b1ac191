// As many probes as successes are needed, by constants too.
use resilience::circuit_breaker;

const WANTED: u32 = 3;

#[circuit_breaker(success_threshold = WANTED, half_open_calls = 2)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
