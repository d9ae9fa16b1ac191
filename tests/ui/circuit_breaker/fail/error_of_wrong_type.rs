// `error` makes the error of the function.
use resilience::circuit_breaker;

#[circuit_breaker(error = |rejected| rejected.to_string())]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
