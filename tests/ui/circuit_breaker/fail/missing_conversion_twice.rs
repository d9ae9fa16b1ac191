// Two attributes need the conversion: still one message.
use resilience::{bulkhead, circuit_breaker, retry};

#[derive(Debug)]
enum ApiError {
    NotFound,
}

#[retry]
#[circuit_breaker]
#[bulkhead(max = 10)]
async fn call() -> Result<(), ApiError> {
    Err(ApiError::NotFound)
}

fn main() {
    drop(call());
}
