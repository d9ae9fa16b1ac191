// The names of Resilience4j.
use resilience::rate_limit;

#[rate_limit(limit_for_period = 50, limit_refresh_period = "1s", timeout_duration = "5s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
