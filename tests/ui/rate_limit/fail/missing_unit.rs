// A number is no duration.
use resilience::rate_limit;

#[rate_limit(rate = 10, per = 60)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
