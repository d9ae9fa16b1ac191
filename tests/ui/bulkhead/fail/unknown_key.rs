// An unknown key near a known one gets a suggestion.
use resilience::bulkhead;

#[bulkhead(max = 10, que = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
