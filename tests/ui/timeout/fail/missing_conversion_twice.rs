// Two attributes need the conversion: still one message.
use resilience::{rate_limit, timeout};

#[derive(Debug)]
enum ApiError {
    NotFound,
}

#[rate_limit(rate = 10)]
#[timeout("5s")]
async fn call() -> Result<(), ApiError> {
    Err(ApiError::NotFound)
}

fn main() {
    drop(call());
}
