// The path of the runtime is absolute.
use resilience::retry;

#[retry(crate = resilience)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
