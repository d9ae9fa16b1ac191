// How many in which time?
use resilience::rate_limit;

#[rate_limit]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
