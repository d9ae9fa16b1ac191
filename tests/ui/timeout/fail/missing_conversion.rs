// A rejection must have a place in the error: one message, with the line to add.
use resilience::timeout;

#[derive(Debug)]
enum ApiError {
    NotFound,
}

#[timeout("5s")]
async fn call() -> Result<(), ApiError> {
    Err(ApiError::NotFound)
}

fn main() {
    drop(call());
}
