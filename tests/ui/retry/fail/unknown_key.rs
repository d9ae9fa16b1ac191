// An unknown key near a known one gets a suggestion.
use resilience::retry;

#[retry(atempts = 4)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
