// Jitters are written in lower case.
use resilience::retry;

#[retry(jitter = "Full")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
