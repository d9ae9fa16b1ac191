// An unknown key near none gets the list.
use resilience::bulkhead;

#[bulkhead(max = 10, colour = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
