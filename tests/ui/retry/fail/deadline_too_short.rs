// A wait that cannot fit the deadline.
use resilience::retry;

#[retry(base_delay = "5s", deadline = "5s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
