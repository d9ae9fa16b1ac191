// The names of `ratelimit`, `governor` and Bucket4j.
use resilience::rate_limit;

#[rate_limit(calls = 15, period = 900, burst_size = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
