// A period needs a number of calls.
use resilience::rate_limit;

#[rate_limit(per = "1s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
