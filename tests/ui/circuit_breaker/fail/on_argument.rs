// `on` takes the error by reference.
use resilience::circuit_breaker;

fn is_failure(error: &String) -> bool {
    error.is_empty()
}

#[circuit_breaker(on = is_failure)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
