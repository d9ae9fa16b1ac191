// A mistake of a whole attribute is told at that attribute.
use resilience::retry;

#[retry]
#[resilience::timeout]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
