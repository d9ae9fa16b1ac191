// A limiter is no name.
use resilience::rate_limit;

#[rate_limit(limiter = "payments")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
