// Every key has its type.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = "5", failure_rate = "half", on_cancel = true, on = 5, name = payments)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
