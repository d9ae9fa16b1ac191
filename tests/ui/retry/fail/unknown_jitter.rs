// Jitters by name.
use resilience::retry;

#[retry(jitter = "ful")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
