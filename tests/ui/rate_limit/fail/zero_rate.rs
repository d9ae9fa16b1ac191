// Nobody could run.
use resilience::rate_limit;

#[rate_limit(rate = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
