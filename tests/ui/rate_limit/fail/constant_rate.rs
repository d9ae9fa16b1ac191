// The rules hold for constants, in the same words.
use resilience::rate_limit;

const NONE: u32 = 0;

#[rate_limit(rate = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
