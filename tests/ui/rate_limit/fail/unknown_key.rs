// An unknown key near a known one gets a suggestion.
use resilience::rate_limit;

#[rate_limit(rate = 10, bust = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
