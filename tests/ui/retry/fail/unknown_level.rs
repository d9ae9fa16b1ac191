// A level by name.
use resilience::retry;

#[retry(log = "warning")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
