// A key and its value are joined by `=`.
use resilience::retry;

#[retry(attempts 3)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
