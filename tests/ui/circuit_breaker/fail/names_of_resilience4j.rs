// The names of Resilience4j, with its percentages.
use resilience::circuit_breaker;

#[circuit_breaker(sliding_window_size = 50, failure_rate_threshold = 50, minimum_number_of_calls = 10, wait_duration_in_open_state = "1m", slow_call_rate_threshold = 80)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
