// A bulkhead from elsewhere has its own settings.
use resilience::{Bulkhead, bulkhead};

static SHARED: Bulkhead = Bulkhead::new(10);

#[bulkhead(bulkhead = &SHARED, max = 5, wait = "1s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
