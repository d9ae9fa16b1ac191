// A predicate answers with `bool` or `FailureClass`.
use resilience::retry;

#[retry(on = |error| error.len())]
fn call() -> Result<(), String> {
    Err(String::new())
}

fn main() {
    let _ = call();
}
