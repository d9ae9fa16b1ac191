// No period, by a constant.
use std::time::Duration;

use resilience::rate_limit;

#[rate_limit(rate = 10, per = Duration::ZERO)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
