// A budget is no text.
use resilience::retry;

#[retry(budget = "20%")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
