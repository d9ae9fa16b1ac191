// A rejection must have a place in the error: one message, with the line to add.
use resilience::bulkhead;

#[derive(Debug)]
enum ApiError {
    NotFound,
}

#[bulkhead(max = 10)]
async fn call() -> Result<(), ApiError> {
    Err(ApiError::NotFound)
}

fn main() {
    drop(call());
}
