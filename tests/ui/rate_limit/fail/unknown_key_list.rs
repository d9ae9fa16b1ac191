// An unknown key near none gets the list.
use resilience::rate_limit;

#[rate_limit(rate = 10, colour = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
