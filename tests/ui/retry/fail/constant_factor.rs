// The rules hold for constants of every kind.
use resilience::retry;

const SHRINK: f64 = 0.5;

#[retry(factor = SHRINK)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
