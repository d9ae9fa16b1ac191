// The words stand by themselves.
use resilience::Classify;

#[derive(Classify)]
#[classify(transient)]
enum ApiError {
    #[permanent]
    Down,
}

fn main() {
    let _ = ApiError::Down.classify();
}
