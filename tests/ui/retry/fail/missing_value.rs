// `=` is followed by a value.
use resilience::retry;

#[retry(attempts = , jitter)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
