// The names that other libraries use: each gets an answer of its own.
use resilience::retry;

#[retry(retries = 1)]
fn retries() -> Result<(), ()> {
    Err(())
}

#[retry(max_retries = 1)]
fn max_retries() -> Result<(), ()> {
    Err(())
}

#[retry(max_attempts = 1)]
fn max_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(max_tries = 1)]
fn max_tries() -> Result<(), ()> {
    Err(())
}

#[retry(tries = 1)]
fn tries() -> Result<(), ()> {
    Err(())
}

#[retry(times = 1)]
fn times() -> Result<(), ()> {
    Err(())
}

#[retry(stop = 1)]
fn stop() -> Result<(), ()> {
    Err(())
}

#[retry(stop_max_attempt_number = 1)]
fn stop_max_attempt_number() -> Result<(), ()> {
    Err(())
}

#[retry(delay = 1)]
fn delay() -> Result<(), ()> {
    Err(())
}

#[retry(wait = 1)]
fn wait() -> Result<(), ()> {
    Err(())
}

#[retry(wait_fixed = 1)]
fn wait_fixed() -> Result<(), ()> {
    Err(())
}

#[retry(interval = 1)]
fn interval() -> Result<(), ()> {
    Err(())
}

#[retry(initial_interval = 1)]
fn initial_interval() -> Result<(), ()> {
    Err(())
}

#[retry(initial_delay = 1)]
fn initial_delay() -> Result<(), ()> {
    Err(())
}

#[retry(min_delay = 1)]
fn min_delay() -> Result<(), ()> {
    Err(())
}

#[retry(min = 1)]
fn min() -> Result<(), ()> {
    Err(())
}

#[retry(max = 1)]
fn max() -> Result<(), ()> {
    Err(())
}

#[retry(max_interval = 1)]
fn max_interval() -> Result<(), ()> {
    Err(())
}

#[retry(max_backoff = 1)]
fn max_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(max_wait = 1)]
fn max_wait() -> Result<(), ()> {
    Err(())
}

#[retry(cap = 1)]
fn cap() -> Result<(), ()> {
    Err(())
}

#[retry(multiplier = 1)]
fn multiplier() -> Result<(), ()> {
    Err(())
}

#[retry(exp_base = 1)]
fn exp_base() -> Result<(), ()> {
    Err(())
}

#[retry(exponent = 1)]
fn exponent() -> Result<(), ()> {
    Err(())
}

#[retry(strategy = 1)]
fn strategy() -> Result<(), ()> {
    Err(())
}

#[retry(wait_jitter = 1)]
fn wait_jitter() -> Result<(), ()> {
    Err(())
}

#[retry(randomization_factor = 1)]
fn randomization_factor() -> Result<(), ()> {
    Err(())
}

#[retry(timeout = 1)]
fn timeout() -> Result<(), ()> {
    Err(())
}

#[retry(max_time = 1)]
fn max_time() -> Result<(), ()> {
    Err(())
}

#[retry(max_elapsed_time = 1)]
fn max_elapsed_time() -> Result<(), ()> {
    Err(())
}

#[retry(max_duration = 1)]
fn max_duration() -> Result<(), ()> {
    Err(())
}

#[retry(total_delay = 1)]
fn total_delay() -> Result<(), ()> {
    Err(())
}

#[retry(when = 1)]
fn when() -> Result<(), ()> {
    Err(())
}

#[retry(retry_if = 1)]
fn retry_if() -> Result<(), ()> {
    Err(())
}

#[retry(retry_on = 1)]
fn retry_on() -> Result<(), ()> {
    Err(())
}

#[retry(condition = 1)]
fn condition() -> Result<(), ()> {
    Err(())
}

#[retry(predicate = 1)]
fn predicate() -> Result<(), ()> {
    Err(())
}

#[retry(exceptions = 1)]
fn exceptions() -> Result<(), ()> {
    Err(())
}

#[retry(giveup = 1)]
fn giveup() -> Result<(), ()> {
    Err(())
}

#[retry(retry_if_result = 1)]
fn retry_if_result() -> Result<(), ()> {
    Err(())
}

#[retry(retry_on_result = 1)]
fn retry_on_result() -> Result<(), ()> {
    Err(())
}

#[retry(notify = 1)]
fn notify() -> Result<(), ()> {
    Err(())
}

#[retry(before_sleep = 1)]
fn before_sleep() -> Result<(), ()> {
    Err(())
}

#[retry(on_backoff = 1)]
fn on_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(on_giveup = 1)]
fn on_giveup() -> Result<(), ()> {
    Err(())
}

#[retry(retry_after = 1)]
fn retry_after() -> Result<(), ()> {
    Err(())
}

#[retry(reraise = 1)]
fn reraise() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = retries();
    let _ = max_retries();
    let _ = max_attempts();
    let _ = max_tries();
    let _ = tries();
    let _ = times();
    let _ = stop();
    let _ = stop_max_attempt_number();
    let _ = delay();
    let _ = wait();
    let _ = wait_fixed();
    let _ = interval();
    let _ = initial_interval();
    let _ = initial_delay();
    let _ = min_delay();
    let _ = min();
    let _ = max();
    let _ = max_interval();
    let _ = max_backoff();
    let _ = max_wait();
    let _ = cap();
    let _ = multiplier();
    let _ = exp_base();
    let _ = exponent();
    let _ = strategy();
    let _ = wait_jitter();
    let _ = randomization_factor();
    let _ = timeout();
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
