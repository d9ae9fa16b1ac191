// A mistake of a whole attribute is told at that attribute.
use resilience::{rate_limit, retry};

#[retry]
#[rate_limit]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
