// A failure has one meaning.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[transient]
    #[permanent]
    Down,
}

fn main() {
    let _ = ApiError::Down.classify();
}
