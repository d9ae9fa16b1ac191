// Units are written from the larger to the smaller.
use resilience::retry;

#[retry(deadline = "30s1m")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
