// A budget is a share of the calls.
use resilience::retry;

#[retry(budget = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
