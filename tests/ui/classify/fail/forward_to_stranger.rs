// What is asked must know its meaning.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[forward]
    Down(std::io::Error),
}

fn main() {
    let _ = ApiError::Down(std::io::Error::other("x")).classify();
}
