// Names that other libraries use. Each name has a hint.

use resilience::retry;

#[retry(retries)]
//~ error at `retries`: `#[retry]` has no `retries`; write `attempts = 4` (total calls, the first included)
fn retries() -> Result<(), ()> {
    Err(())
}

#[retry(max_retries)]
//~ error at `max_retries`: `#[retry]` has no `max_retries`; write `attempts = 4` (total calls, the first included)
fn max_retries() -> Result<(), ()> {
    Err(())
}

#[retry(max_times)]
//~ error at `max_times`: `#[retry]` has no `max_times`; write `attempts = 4` (total calls, the first included)
fn max_times() -> Result<(), ()> {
    Err(())
}

#[retry(retry_count)]
//~ error at `retry_count`: `#[retry]` has no `retry_count`; write `attempts = 4` (total calls, the first included)
fn retry_count() -> Result<(), ()> {
    Err(())
}

#[retry(max_attempts)]
//~ error at `max_attempts`: `#[retry]` has no `max_attempts`; write `attempts = 4` (total calls, the first included)
fn max_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(max_tries)]
//~ error at `max_tries`: `#[retry]` has no `max_tries`; write `attempts = 4` (total calls, the first included)
fn max_tries() -> Result<(), ()> {
    Err(())
}

#[retry(tries)]
//~ error at `tries`: `#[retry]` has no `tries`; write `attempts = 4` (total calls, the first included)
fn tries() -> Result<(), ()> {
    Err(())
}

#[retry(times)]
//~ error at `times`: `#[retry]` has no `times`; write `attempts = 4` (total calls, the first included)
fn times() -> Result<(), ()> {
    Err(())
}

#[retry(stop_max_attempt_number)]
//~ error at `stop_max_attempt_number`: `#[retry]` has no `stop_max_attempt_number`; write `attempts = 4` (total calls, the first included)
fn stop_max_attempt_number() -> Result<(), ()> {
    Err(())
}

#[retry(stop)]
//~ error at `stop`: `#[retry]` has no `stop`; write `attempts = 4`, `deadline = "30s"`, or both
fn stop() -> Result<(), ()> {
    Err(())
}

#[retry(delay)]
//~ error at `delay`: `#[retry]` has no `delay`; write `base_delay = "100ms"` (the first delay)
fn delay() -> Result<(), ()> {
    Err(())
}

#[retry(interval)]
//~ error at `interval`: `#[retry]` has no `interval`; write `base_delay = "100ms"` (the first delay)
fn interval() -> Result<(), ()> {
    Err(())
}

#[retry(initial_interval)]
//~ error at `initial_interval`: `#[retry]` has no `initial_interval`; write `base_delay = "100ms"` (the first delay)
fn initial_interval() -> Result<(), ()> {
    Err(())
}

#[retry(initial_delay)]
//~ error at `initial_delay`: `initial_delay` needs a value: `initial_delay = …`
fn initial_delay() -> Result<(), ()> {
    Err(())
}

#[retry(initial_backoff)]
//~ error at `initial_backoff`: `#[retry]` has no `initial_backoff`; write `base_delay = "100ms"` (the first delay)
fn initial_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(wait_duration)]
//~ error at `wait_duration`: `#[retry]` has no `wait_duration`; write `base_delay = "100ms"` (the first delay)
fn wait_duration() -> Result<(), ()> {
    Err(())
}

#[retry(min_delay)]
//~ error at `min_delay`: `#[retry]` has no `min_delay`; write `base_delay = "100ms"` (the first delay)
fn min_delay() -> Result<(), ()> {
    Err(())
}

#[retry(min)]
//~ error at `min`: `#[retry]` has no `min`; write `base_delay = "100ms"` (the first delay)
fn min() -> Result<(), ()> {
    Err(())
}

#[retry(wait)]
//~ error at `wait`: `#[retry]` has no `wait`; write `backoff = "exponential", base_delay = "100ms"`
fn wait() -> Result<(), ()> {
    Err(())
}

#[retry(wait_fixed)]
//~ error at `wait_fixed`: `#[retry]` has no `wait_fixed`; write `backoff = "fixed", base_delay = "100ms"`
fn wait_fixed() -> Result<(), ()> {
    Err(())
}

#[retry(max)]
//~ error at `max`: `#[retry]` has no `max`; write `max_delay = "10s"` (the ceiling)
fn max() -> Result<(), ()> {
    Err(())
}

#[retry(max_interval)]
//~ error at `max_interval`: `#[retry]` has no `max_interval`; write `max_delay = "10s"` (the ceiling)
fn max_interval() -> Result<(), ()> {
    Err(())
}

#[retry(max_backoff)]
//~ error at `max_backoff`: `#[retry]` has no `max_backoff`; write `max_delay = "10s"` (the ceiling)
fn max_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(max_wait)]
//~ error at `max_wait`: `#[retry]` has no `max_wait`; write `max_delay = "10s"` (the ceiling)
fn max_wait() -> Result<(), ()> {
    Err(())
}

#[retry(cap)]
//~ error at `cap`: `#[retry]` has no `cap`; write `max_delay = "10s"` (the ceiling)
fn cap() -> Result<(), ()> {
    Err(())
}

#[retry(multiplier)]
//~ error at `multiplier`: `#[retry]` has no `multiplier`; write `factor = 2` (the growth of each delay)
fn multiplier() -> Result<(), ()> {
    Err(())
}

#[retry(exp_base)]
//~ error at `exp_base`: `#[retry]` has no `exp_base`; write `factor = 2` (the growth of each delay)
fn exp_base() -> Result<(), ()> {
    Err(())
}

#[retry(exponential_base)]
//~ error at `exponential_base`: `#[retry]` has no `exponential_base`; write `factor = 2` (the growth of each delay)
fn exponential_base() -> Result<(), ()> {
    Err(())
}

#[retry(exponent)]
//~ error at `exponent`: `#[retry]` has no `exponent`; write `factor = 2` (the growth of each delay)
fn exponent() -> Result<(), ()> {
    Err(())
}

#[retry(strategy)]
//~ error at `strategy`: `#[retry]` has no `strategy`; write `backoff = "exponential"`
fn strategy() -> Result<(), ()> {
    Err(())
}

#[retry(wait_jitter)]
//~ error at `wait_jitter`: `#[retry]` has no `wait_jitter`; write `jitter = "full"`, or `jitter = "1s"` for up to a second of extra delay
fn wait_jitter() -> Result<(), ()> {
    Err(())
}

#[retry(randomization_factor)]
//~ error at `randomization_factor`: `#[retry]` has no `randomization_factor`; write `jitter = 0.5` (the largest share of extra delay)
fn randomization_factor() -> Result<(), ()> {
    Err(())
}

#[retry(timeout)]
//~ error at `timeout`: `#[retry]` has no `timeout`; write `deadline = "30s"` (the time for the whole call)
fn timeout() -> Result<(), ()> {
    Err(())
}

#[retry(total_timeout)]
//~ error at `total_timeout`: `#[retry]` has no `total_timeout`; write `deadline = "30s"` (the time for the whole call)
fn total_timeout() -> Result<(), ()> {
    Err(())
}

#[retry(max_time)]
//~ error at `max_time`: `#[retry]` has no `max_time`; write `deadline = "30s"` (the time for the whole call)
fn max_time() -> Result<(), ()> {
    Err(())
}

#[retry(max_elapsed_time)]
//~ error at `max_elapsed_time`: `#[retry]` has no `max_elapsed_time`; write `deadline = "30s"` (the time for the whole call)
fn max_elapsed_time() -> Result<(), ()> {
    Err(())
}

#[retry(max_duration)]
//~ error at `max_duration`: `#[retry]` has no `max_duration`; write `deadline = "30s"` (the time for the whole call)
fn max_duration() -> Result<(), ()> {
    Err(())
}

#[retry(total_delay)]
//~ error at `total_delay`: `#[retry]` has no `total_delay`; write `deadline = "30s"` (the time for the whole call)
fn total_delay() -> Result<(), ()> {
    Err(())
}

#[retry(when)]
//~ error at `when`: `#[retry]` has no `when`; write `on = is_transient` (the errors to retry)
fn when() -> Result<(), ()> {
    Err(())
}

#[retry(retry_if)]
//~ error at `retry_if`: `#[retry]` has no `retry_if`; write `on = is_transient` (the errors to retry)
fn retry_if() -> Result<(), ()> {
    Err(())
}

#[retry(retry_on)]
//~ error at `retry_on`: `#[retry]` has no `retry_on`; write `on = is_transient` (the errors to retry)
fn retry_on() -> Result<(), ()> {
    Err(())
}

#[retry(condition)]
//~ error at `condition`: `#[retry]` has no `condition`; write `on = is_transient` (the errors to retry)
fn condition() -> Result<(), ()> {
    Err(())
}

#[retry(predicate)]
//~ error at `predicate`: `#[retry]` has no `predicate`; write `on = is_transient` (the errors to retry)
fn predicate() -> Result<(), ()> {
    Err(())
}

#[retry(exceptions)]
//~ error at `exceptions`: `#[retry]` has no `exceptions`; write `on = |error| matches!(error, …)`
fn exceptions() -> Result<(), ()> {
    Err(())
}

#[retry(retry_exceptions)]
//~ error at `retry_exceptions`: `#[retry]` has no `retry_exceptions`; write `on = |error| matches!(error, …)`
fn retry_exceptions() -> Result<(), ()> {
    Err(())
}

#[retry(giveup)]
//~ error at `giveup`: `#[retry]` has no `giveup`; write `on = |error| !is_fatal(error)`
fn giveup() -> Result<(), ()> {
    Err(())
}

#[retry(retry_if_result)]
//~ error at `retry_if_result`: `#[retry]` has no `retry_if_result`; write `on_ok = is_pending` (the values that mean "not yet")
fn retry_if_result() -> Result<(), ()> {
    Err(())
}

#[retry(retry_on_result)]
//~ error at `retry_on_result`: `#[retry]` has no `retry_on_result`; write `on_ok = is_pending` (the values that mean "not yet")
fn retry_on_result() -> Result<(), ()> {
    Err(())
}

#[retry(notify)]
//~ error at `notify`: `#[retry]` has no `notify`; write `on_retry = |event| …` (called before each delay)
fn notify() -> Result<(), ()> {
    Err(())
}

#[retry(before_sleep)]
//~ error at `before_sleep`: `#[retry]` has no `before_sleep`; write `on_retry = |event| …` (called before each delay)
fn before_sleep() -> Result<(), ()> {
    Err(())
}

#[retry(on_backoff)]
//~ error at `on_backoff`: `#[retry]` has no `on_backoff`; write `on_retry = |event| …` (called before each delay)
fn on_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(on_giveup)]
//~ error at `on_giveup`: `#[retry]` has no `on_giveup`; write `on_give_up = |event| …` (called before a failure is returned)
fn on_giveup() -> Result<(), ()> {
    Err(())
}

#[retry(retry_after)]
//~ error at `retry_after`: `#[retry]` has no `retry_after`; the delay comes from the error: write `on = |error| FailureClass::throttled(error.retry_after())`
fn retry_after() -> Result<(), ()> {
    Err(())
}

#[retry(reraise)]
//~ error at `reraise`: `#[retry]` has no `reraise`; remove it: the last error is always returned unchanged
fn reraise() -> Result<(), ()> {
    Err(())
}

#[retry(max_retries = 3, multiplier = 1.5, timeout = "5s")]
//~ error at `max_retries`: `#[retry]` has no `max_retries`; write `attempts = 4` (total calls, the first included)
//~ error at `multiplier`: `#[retry]` has no `multiplier`; write `factor = 1.5` (the growth of each delay)
//~ error at `timeout`: `#[retry]` has no `timeout`; write `deadline = "5s"` (the time for the whole call)
fn other_library() -> Result<(), ()> {
    Err(())
}

#[retry(use_jitter = true)]
//~ error at `use_jitter`: `#[retry]` has no `use_jitter`; write `jitter = "full"` (the kind of the jitter)
fn name_of_polly() -> Result<(), ()> {
    Err(())
}
