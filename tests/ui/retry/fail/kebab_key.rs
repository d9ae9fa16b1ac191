// Keys are written with underscores.
use resilience::retry;

#[retry(base-delay = "1s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
