// A sync body cannot be stopped.
use resilience::timeout;

#[timeout("5s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
