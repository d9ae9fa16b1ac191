// A predicate takes the error.
use resilience::retry;

fn is_transient(error: &String) -> bool {
    error.is_empty()
}

#[retry(on = is_transient)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
