// A renamed import is not seen as a sibling, whatever the two are.
use resilience::{bulkhead, retry as again};

#[bulkhead(max = 10)]
#[again]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
