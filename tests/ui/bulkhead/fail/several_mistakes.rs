// All mistakes are reported together.
use resilience::bulkhead;

#[bulkhead(max = 0, queue = "5", wait = 7, kee = id)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
