// Whether it was sent, by name.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[transient(effect = "never")]
    Down,
}

fn main() {
    let _ = ApiError::Down.classify();
}
