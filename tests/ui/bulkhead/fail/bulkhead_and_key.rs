// One from elsewhere is not one for each key.
use resilience::{Bulkhead, bulkhead};

static SHARED: Bulkhead = Bulkhead::new(10);

#[bulkhead(bulkhead = &SHARED, key = 5, max_keys = 7)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
