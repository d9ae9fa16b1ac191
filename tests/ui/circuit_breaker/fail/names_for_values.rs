// The names by which others judge a value.
use resilience::circuit_breaker;

#[circuit_breaker(record_result = is_busy, recordResultPredicate = is_busy, failure_if_result = |status| *status >= 500)]
fn call() -> Result<u16, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
