// The rules hold for constants, in the same words.
use resilience::retry;

const NONE: u32 = 0;

#[retry(attempts = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
