// A duration is quoted.
use resilience::retry;

#[retry(max_delay = 5s)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
