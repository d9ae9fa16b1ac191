// The field with the delay exists.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[throttled(retry_after)]
    Down { after: Option<std::time::Duration> },
}

fn main() {
    let _ = ApiError::Down { after: None }.classify();
}
