// A variant of several fields says which is asked.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[forward]
    Down(std::io::Error, u32),
}

fn main() {
    let _ = ApiError::Down(std::io::Error::other("x"), 1).classify();
}
