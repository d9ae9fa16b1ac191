// A predicate is a path or a closure.
use resilience::retry;

#[retry(on = "transient")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
