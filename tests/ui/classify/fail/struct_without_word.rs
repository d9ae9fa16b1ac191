// A struct has its word above it.
use resilience::Classify;

#[derive(Classify)]
struct ApiError;

fn main() {
    let _ = ApiError.classify();
}
