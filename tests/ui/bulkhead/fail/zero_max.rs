// Nobody could run.
use resilience::bulkhead;

#[bulkhead(max = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
