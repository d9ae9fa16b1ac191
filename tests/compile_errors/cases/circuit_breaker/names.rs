// Names that other libraries use. Each name has a hint.

use resilience::circuit_breaker;

#[circuit_breaker(record_result = is_busy, recordResultPredicate = is_busy, failure_if_result = |status| *status >= 500)]
//~ error at `record_result`: `#[circuit_breaker]` has no `record_result`; write `on_ok = is_busy` (the values that count as failures)
//~ error at `recordResultPredicate`: `#[circuit_breaker]` has no `recordResultPredicate`; write `on_ok = is_busy` (the values that count as failures)
//~ error at `failure_if_result`: `#[circuit_breaker]` has no `failure_if_result`; write `on_ok = is_busy` (the values that count as failures)
fn names_for_values() -> Result<u16, ()> {
    Err(())
}

#[circuit_breaker(fail_max = 3, recovery_timeout = 60, exclude = [ValueError])]
//~ error at `fail_max`: `#[circuit_breaker]` has no `fail_max`; write `failure_threshold = 3` (the failures in a row that open the circuit)
//~ error at `recovery_timeout`: `#[circuit_breaker]` has no `recovery_timeout`; write `reset_timeout = "30s"` (the time for which the circuit stays open)
//~ error at `exclude`: `#[circuit_breaker]` has no `exclude`; write `on = |error| !matches!(error, …)`; an error that `on` declines counts as a success
fn names_of_pybreaker() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(sliding_window_size = 50, failure_rate_threshold = 50, minimum_number_of_calls = 10, wait_duration_in_open_state = "1m", slow_call_rate_threshold = 80)]
//~ error at `sliding_window_size`: `#[circuit_breaker]` has no `sliding_window_size`; write `window = 50` (a number of calls, or a time like `"10s"`)
//~ error at `failure_rate_threshold`: `#[circuit_breaker]` has no `failure_rate_threshold`; write `failure_rate = 0.5` (a share of the calls, above 0 and at most 1)
//~ error at `minimum_number_of_calls`: `#[circuit_breaker]` has no `minimum_number_of_calls`; write `min_calls = 10` (the calls in the window from which a rate counts)
//~ error at `wait_duration_in_open_state`: `#[circuit_breaker]` has no `wait_duration_in_open_state`; write `reset_timeout = "1m"` (the time for which the circuit stays open)
//~ error at `slow_call_rate_threshold`: `#[circuit_breaker]` has no `slow_call_rate_threshold`; write `slow_rate = 0.8` (a share of the calls, above 0 and at most 1)
fn names_of_resilience4j() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(half_open_max_calls = 3, slow_call_duration = "2s", cancelled = "failure")]
//~ error at `half_open_max_calls`: `#[circuit_breaker]` has no `half_open_max_calls`; write `half_open_calls = 3` (the trial calls of a half-open circuit)
//~ error at `slow_call_duration`: `#[circuit_breaker]` has no `slow_call_duration`; write `slow_call = "2s"` (longer calls are slow)
//~ error at `cancelled`: `#[circuit_breaker]` has no `cancelled`; write `on_cancel = "failure"` (the meaning of a call that is dropped before its end)
fn names_for_trial_calls() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(is_failure = is_server_error, expected_exception = Timeout, ignore = NotFound)]
//~ error at `is_failure`: `#[circuit_breaker]` has no `is_failure`; write `on = is_server_error` (the errors that count as failures)
//~ error at `expected_exception`: `#[circuit_breaker]` has no `expected_exception`; write `on = |error| matches!(error, …)`
//~ error at `ignore`: `#[circuit_breaker]` has no `ignore`; write `on = |error| …` with the class `FailureClass::permanent().neutral()` for these errors
fn names_for_errors() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(slow_start = "1m", randomized_wait_factor = 0.5, dry_run = true)]
//~ error at `slow_start`: `#[circuit_breaker]` has no `slow_start`; write `recovery = "1m"` (the time in which the share of admitted calls grows after closing)
//~ error at `randomized_wait_factor`: `#[circuit_breaker]` has no `randomized_wait_factor`; write `jitter = 0.5` (the share that jitter adds to the open time)
//~ error at `dry_run`: `#[circuit_breaker]` has no `dry_run`; write `shadow = true` (the breaker decides, counts and logs, but rejects no call)
fn names_for_recovery() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(key = host, max_ejection_percent = 30, max_ejected = 0.3)]
//~ error at `max_ejected`: `#[circuit_breaker]` has no `max_ejected`; write `max_open = 0.3` (the share of keys that may be open at once)
//~ error at `max_ejection_percent`: `#[circuit_breaker]` has no `max_ejection_percent`; write `max_open = 0.3` (the share of keys that may be open at once)
fn names_for_the_share_of_open_circuits(host: &str) -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(on_open = note, instance = BREAKER, distributed = "payments", fallback = 7)]
//~ error at `on_open`: `#[circuit_breaker]` has no `on_open`; write `on_state_change = note` (called after each change of state)
//~ error at `instance`: `#[circuit_breaker]` has no `instance`; write `breaker = self.breaker`, or `breaker = &SHARED`
//~ error at `distributed`: `#[circuit_breaker]` has no `distributed`; write `shared = "payments"` (the name of the breaker in all processes)
//~ error at `fallback`: `#[circuit_breaker]` has no `fallback`; put `#[fallback(value = …)]` above it
fn names_for_other_parts() -> Result<u32, ()> {
    Err(())
}

#[circuit_breaker(sliding_window_type = "COUNT_BASED")]
//~ error at `sliding_window_type`: `#[circuit_breaker]` has no `sliding_window_type`; remove it: `window = 100` is a number of calls, `window = "10s"` a time
fn name_for_the_kind_of_the_window() -> Result<(), ()> {
    Err(())
}
