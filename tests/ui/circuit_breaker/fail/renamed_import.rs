// A renamed import is not seen as a sibling.
use resilience::{bulkhead as limit, circuit_breaker};

#[circuit_breaker]
#[limit(max = 10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
