// A renamed import is not seen as a sibling.
use resilience::{bulkhead, timeout as limit};

#[bulkhead(max = 10)]
#[limit("5s")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
