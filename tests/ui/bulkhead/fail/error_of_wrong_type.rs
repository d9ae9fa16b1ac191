// `error` makes the error of the function.
use resilience::bulkhead;

#[bulkhead(max = 10, error = |rejected| rejected.to_string())]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
