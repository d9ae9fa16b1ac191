// The field with the delay holds one.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[throttled(0)]
    Down(u64),
}

fn main() {
    let _ = ApiError::Down(1).classify();
}
