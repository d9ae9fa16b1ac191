// No time to spread the calls over.
use resilience::rate_limit;

#[rate_limit(rate = 10, per = "0s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
