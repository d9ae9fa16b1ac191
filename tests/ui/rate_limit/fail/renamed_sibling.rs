// A renamed import is not seen as a sibling, whatever the two are.
use resilience::{rate_limit, retry as again};

#[rate_limit(rate = 10)]
#[again]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
