// A constant jitter is checked.
use resilience::{Jitter, retry};

#[retry(jitter = Jitter::Ratio(2.0))]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
