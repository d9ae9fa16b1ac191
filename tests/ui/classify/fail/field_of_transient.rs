// Only a throttled failure has a delay.
use resilience::Classify;

#[derive(Classify)]
enum ApiError {
    #[transient(after)]
    Down { after: std::time::Duration },
}

fn main() {
    let _ = ApiError::Down { after: std::time::Duration::ZERO }.classify();
}
