// A renamed import is not seen as a sibling, whatever the two are.
use resilience::{bulkhead as limit, fallback};

#[fallback(value = ())]
#[limit(max = 10)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
