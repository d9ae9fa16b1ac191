// A timeout outside drops what the breaker should count.
use resilience::{circuit_breaker, timeout};

#[timeout("5s")]
#[circuit_breaker]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
