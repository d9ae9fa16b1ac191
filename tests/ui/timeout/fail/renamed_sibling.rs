// A renamed import is not seen as a sibling, whatever the two are.
use resilience::{rate_limit as limit, timeout};

#[timeout("5s")]
#[limit(rate = 10)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
