// The error type of another crate.
use resilience::rate_limit;

#[rate_limit(rate = 10)]
fn call() -> Result<(), String> {
    Err(String::new())
}

fn main() {
    let _ = call();
}
