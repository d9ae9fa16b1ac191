// A rejection must have a place in the error: one message, with the line to add.
use resilience::circuit_breaker;

#[derive(Debug)]
enum ApiError {
    NotFound,
}

#[circuit_breaker]
fn call() -> Result<(), ApiError> {
    Err(ApiError::NotFound)
}

fn main() {
    let _ = call();
}
