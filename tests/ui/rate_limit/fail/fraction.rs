// Less than one in a period is one in a longer one.
use resilience::rate_limit;

#[rate_limit(rate = 0.5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
