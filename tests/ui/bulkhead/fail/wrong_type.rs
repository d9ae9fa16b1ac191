// Every key has its type.
use resilience::bulkhead;

#[bulkhead(max = "10", queue = 1.5, wait = true)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
