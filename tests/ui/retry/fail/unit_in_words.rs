// Units have short names.
use resilience::retry;

#[retry(deadline = "5min")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
