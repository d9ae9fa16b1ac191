// The names that other libraries use: each gets an answer of its own.
use resilience::retry;

#[retry(retries)]
fn retries() -> Result<(), ()> {
    Err(())
}

#[retry(max_retries)]
fn max_retries() -> Result<(), ()> {
    Err(())
}

#[retry(max_times)]
fn max_times() -> Result<(), ()> {
    Err(())
}

#[retry(retry_count)]
fn retry_count() -> Result<(), ()> {
    Err(())
}

#[retry(max_attempts)]
fn max_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(max_tries)]
fn max_tries() -> Result<(), ()> {
    Err(())
}

#[retry(tries)]
fn tries() -> Result<(), ()> {
    Err(())
}

#[retry(times)]
fn times() -> Result<(), ()> {
    Err(())
}

#[retry(stop_max_attempt_number)]
fn stop_max_attempt_number() -> Result<(), ()> {
    Err(())
}

#[retry(stop)]
fn stop() -> Result<(), ()> {
    Err(())
}

#[retry(delay)]
fn delay() -> Result<(), ()> {
    Err(())
}

#[retry(interval)]
fn interval() -> Result<(), ()> {
    Err(())
}

#[retry(initial_interval)]
fn initial_interval() -> Result<(), ()> {
    Err(())
}

#[retry(initial_delay)]
fn initial_delay() -> Result<(), ()> {
    Err(())
}

#[retry(initial_backoff)]
fn initial_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(wait_duration)]
fn wait_duration() -> Result<(), ()> {
    Err(())
}

#[retry(min_delay)]
fn min_delay() -> Result<(), ()> {
    Err(())
}

#[retry(min)]
fn min() -> Result<(), ()> {
    Err(())
}

#[retry(wait)]
fn wait() -> Result<(), ()> {
    Err(())
}

#[retry(wait_fixed)]
fn wait_fixed() -> Result<(), ()> {
    Err(())
}

#[retry(max)]
fn max() -> Result<(), ()> {
    Err(())
}

#[retry(max_interval)]
fn max_interval() -> Result<(), ()> {
    Err(())
}

#[retry(max_backoff)]
fn max_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(max_wait)]
fn max_wait() -> Result<(), ()> {
    Err(())
}

#[retry(cap)]
fn cap() -> Result<(), ()> {
    Err(())
}

#[retry(multiplier)]
fn multiplier() -> Result<(), ()> {
    Err(())
}

#[retry(exp_base)]
fn exp_base() -> Result<(), ()> {
    Err(())
}

#[retry(exponential_base)]
fn exponential_base() -> Result<(), ()> {
    Err(())
}

#[retry(exponent)]
fn exponent() -> Result<(), ()> {
    Err(())
}

#[retry(strategy)]
fn strategy() -> Result<(), ()> {
    Err(())
}

#[retry(wait_jitter)]
fn wait_jitter() -> Result<(), ()> {
    Err(())
}

#[retry(randomization_factor)]
fn randomization_factor() -> Result<(), ()> {
    Err(())
}

#[retry(timeout)]
fn timeout() -> Result<(), ()> {
    Err(())
}

#[retry(total_timeout)]
fn total_timeout() -> Result<(), ()> {
    Err(())
}

#[retry(max_time)]
fn max_time() -> Result<(), ()> {
    Err(())
}

#[retry(max_elapsed_time)]
fn max_elapsed_time() -> Result<(), ()> {
    Err(())
}

#[retry(max_duration)]
fn max_duration() -> Result<(), ()> {
    Err(())
}

#[retry(total_delay)]
fn total_delay() -> Result<(), ()> {
    Err(())
}

#[retry(when)]
fn when() -> Result<(), ()> {
    Err(())
}

#[retry(retry_if)]
fn retry_if() -> Result<(), ()> {
    Err(())
}

#[retry(retry_on)]
fn retry_on() -> Result<(), ()> {
    Err(())
}

#[retry(condition)]
fn condition() -> Result<(), ()> {
    Err(())
}

#[retry(predicate)]
fn predicate() -> Result<(), ()> {
    Err(())
}

#[retry(exceptions)]
fn exceptions() -> Result<(), ()> {
    Err(())
}

#[retry(retry_exceptions)]
fn retry_exceptions() -> Result<(), ()> {
    Err(())
}

#[retry(giveup)]
fn giveup() -> Result<(), ()> {
    Err(())
}

#[retry(retry_if_result)]
fn retry_if_result() -> Result<(), ()> {
    Err(())
}

#[retry(retry_on_result)]
fn retry_on_result() -> Result<(), ()> {
    Err(())
}

#[retry(notify)]
fn notify() -> Result<(), ()> {
    Err(())
}

#[retry(before_sleep)]
fn before_sleep() -> Result<(), ()> {
    Err(())
}

#[retry(on_backoff)]
fn on_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(on_giveup)]
fn on_giveup() -> Result<(), ()> {
    Err(())
}

#[retry(retry_after)]
fn retry_after() -> Result<(), ()> {
    Err(())
}

#[retry(reraise)]
fn reraise() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = retries();
    let _ = max_retries();
    let _ = max_times();
    let _ = retry_count();
    let _ = max_attempts();
    let _ = max_tries();
    let _ = tries();
    let _ = times();
    let _ = stop_max_attempt_number();
    let _ = stop();
    let _ = delay();
    let _ = interval();
    let _ = initial_interval();
    let _ = initial_delay();
    let _ = initial_backoff();
    let _ = wait_duration();
    let _ = min_delay();
    let _ = min();
    let _ = wait();
    let _ = wait_fixed();
    let _ = max();
    let _ = max_interval();
    let _ = max_backoff();
    let _ = max_wait();
    let _ = cap();
    let _ = multiplier();
    let _ = exp_base();
    let _ = exponential_base();
    let _ = exponent();
    let _ = strategy();
    let _ = wait_jitter();
    let _ = randomization_factor();
    let _ = timeout();
    let _ = total_timeout();
    let _ = max_time();
    let _ = max_elapsed_time();
    let _ = max_duration();
    let _ = total_delay();
    let _ = when();
    let _ = retry_if();
    let _ = retry_on();
    let _ = condition();
    let _ = predicate();
    let _ = exceptions();
    let _ = retry_exceptions();
    let _ = giveup();
    let _ = retry_if_result();
    let _ = retry_on_result();
    let _ = notify();
    let _ = before_sleep();
    let _ = on_backoff();
    let _ = on_giveup();
    let _ = retry_after();
    let _ = reraise();
}
