// No burst, by a constant.
use resilience::rate_limit;

const NONE: u32 = 0;

#[rate_limit(rate = 10, burst = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
