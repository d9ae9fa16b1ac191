// Every variant has a word, unless the enum has one.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[transient]
    Down,
    NotFound,
}

fn main() {
    let _ = ApiError::Down.classify();
}
