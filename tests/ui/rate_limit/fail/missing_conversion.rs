// A rejection must have a place in the error: one message, with the line to add.
use resilience::rate_limit;

#[derive(Debug)]
enum ApiError {
    NotFound,
}

#[rate_limit(rate = 10)]
fn call() -> Result<(), ApiError> {
    Err(ApiError::NotFound)
}

fn main() {
    let _ = call();
}
