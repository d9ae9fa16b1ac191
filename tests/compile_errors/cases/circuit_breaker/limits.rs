// Literals that break a rule, alone or together with another key.

use resilience::circuit_breaker;

mod breaker_and_key {
    use resilience::{CircuitBreaker, circuit_breaker};

    static SHARED: CircuitBreaker = CircuitBreaker::new();

    #[circuit_breaker(breaker = &SHARED, key = id)]
    //~ error at `key`: `key` and `breaker` exclude each other: a policy made by hand has one state for all keys; for a policy per key write `breaker = POLICIES.get(key)` with a `Keyed<CircuitBreaker>`, or remove `breaker` and set the numbers of each key with `settings = …`
    fn call(id: &str) -> Result<(), ()> {
        Err(drop(id))
    }
}

mod breaker_and_settings {
    use resilience::{CircuitBreaker, circuit_breaker};

    static SHARED: CircuitBreaker = CircuitBreaker::new();

    #[circuit_breaker(breaker = &SHARED, failure_threshold = 5, name = "payments")]
    //~ error at `failure_threshold`: `failure_threshold` and `breaker` exclude each other: a policy made by hand has its own settings; remove `failure_threshold`, or set it on the policy
    //~ error at `name`: `name` and `breaker` exclude each other: a policy made by hand has its own settings; remove `name`, or set it on the policy
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// The default of `reset_timeout` is longer.
#[circuit_breaker(max_reset_timeout = "10s")]
//~ error at `"10s"`: `reset_timeout` (default 30s) is longer than `max_reset_timeout` (10s), so the open time could not grow; raise `max_reset_timeout` or lower `reset_timeout`
fn default_reset_above_max() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(max_keys = 100)]
//~ error at `max_keys`: `max_keys` needs a `key`: write `key = …`, or remove it
fn max_keys_alone() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = 0.5, window = 10, min_calls = 20)]
//~ error at `20`: `min_calls` (20) is greater than `window` (10), so no rate could ever count; raise `window` or lower `min_calls`
fn min_calls_above_window() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(min_calls = 10)]
//~ error at `min_calls`: `min_calls` needs a rate; add `failure_rate = 0.5`, or remove `min_calls`
fn min_calls_alone() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(success_threshold = 3, half_open_calls = 2)]
//~ error at `2`: `half_open_calls` (2) is less than `success_threshold` (3), so the circuit could never close; raise `half_open_calls` or lower `success_threshold`
fn probes_too_few() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(reset_timeout = "1m", max_reset_timeout = "30s")]
//~ error at `"30s"`: `reset_timeout` (1m) is longer than `max_reset_timeout` (30s), so the open time could not grow; raise `max_reset_timeout` or lower `reset_timeout`
fn reset_above_max() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = 0, slow_call = "2s", slow_rate = 150.0)]
//~ error at `0`: `failure_rate` must be a share of the calls, above 0 and at most 1
//~ error at `150.0`: `slow_rate` must be a share of the calls, above 0 and at most 1
fn share_out_of_range() -> Result<(), ()> {
    Err(())
}

mod shared_and_others {
    use resilience::{CircuitBreaker, circuit_breaker};

    static PAYMENTS: CircuitBreaker = CircuitBreaker::new().shared("payments");

    #[circuit_breaker(shared = "hosts", key = host)]
    //~ error at `shared`: `shared` and `key` exclude each other: the breaker keeps a hash of each key, so no other process could know the key; remove one of them
    fn by_key(host: &str) -> Option<()> {
        host.is_empty().then_some(())
    }

    #[circuit_breaker(breaker = PAYMENTS, shared = "payments")]
    //~ error at `shared`: `shared` and `breaker` exclude each other: a policy made by hand has its own settings; remove `shared`, or set it on the policy
    fn elsewhere() -> Option<()> {
        None
    }

    #[circuit_breaker(distributed = true)]
    //~ error at `distributed`: `#[circuit_breaker]` has no `distributed`; write `shared = "payments"` (the name of the breaker in all processes)
    fn other_name() -> Option<()> {
        None
    }
}

#[circuit_breaker(slow_rate = 0.8)]
//~ error at `slow_rate`: `slow_rate` needs the duration of a slow call; add `slow_call = "2s"`
fn slow_rate_alone() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_threshold = 11, window = 10)]
//~ error at `11`: `failure_threshold` (11) is greater than `window` (10), so the circuit could never open; raise `window` or lower `failure_threshold`
fn threshold_above_window() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(window = 20)]
//~ error at `window`: `window` needs a condition that opens the circuit; add `failure_rate = 0.5` or `failure_threshold = 5`
fn window_alone() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(half_open_calls = 0)]
//~ error at `0`: `half_open_calls` (0) is less than `success_threshold` (default 1), so the circuit could never close; raise `half_open_calls` or lower `success_threshold`
fn no_trial_call() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 0, success_threshold = 0, half_open_calls = 0)]
//~ error at `0`: `failure_threshold` must be at least 1, or the circuit would be open from the start
//~ error at `0`: `success_threshold` must be at least 1: the circuit closes on a success
//~ error at `0`: `half_open_calls` (0) is less than `success_threshold` (1), so the circuit could never close; raise `half_open_calls` or lower `success_threshold`
fn zero_counts() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(key = id, max_keys = 0)]
//~ error at `0`: `max_keys` must be at least 1
fn zero_max_keys(id: u32) -> Result<(), ()> {
    Err(drop(id))
}

#[circuit_breaker(failure_rate = 0.5, min_calls = 0)]
//~ error at `0`: `min_calls` must be at least 1: a rate needs a call
fn zero_min_calls() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(reset_timeout = "0s")]
//~ error at `"0s"`: `reset_timeout` is zero, so the circuit could never be open; raise it or remove it
fn zero_reset_timeout() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(slow_call = "0s")]
//~ error at `"0s"`: `slow_call` is zero, so every call would be slow; raise it or remove it
fn zero_slow_call() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = 0.5, window = 0)]
//~ error at `0`: `window` (0) must be from 1 to 100000 calls; for a longer window write a time, like `"10s"`
fn zero_window() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = 0.5, window = "0s")]
//~ error at `"0s"`: `window` is zero, so no call could be in it; write a longer time, like `"10s"`
fn zero_window_time() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(jitter = 2.0)]
//~ error at `2.0`: `jitter` must be a share of the open time, from 0 to 1
fn jitter_above_one() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(max_open = 0.3)]
//~ error at `max_open`: `max_open` needs a `key`: the share counts the keys of the function; write `key = …`, or remove it
fn max_open_alone() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(key = host, max_open = 1.0)]
//~ error at `1.0`: `max_open` must be a share of the keys, above 0 and below 1; remove it to let every circuit open
fn max_open_of_all(host: &str) -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(key = host, max_open = 30)]
//~ error at `30`: `max_open` must be a share of the keys, above 0 and below 1; remove it to let every circuit open; write `max_open = 0.3`
fn max_open_in_percent(host: &str) -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(recovery = "0s")]
//~ error at `"0s"`: `recovery` is zero, so all calls would be admitted at once; raise it or remove it
fn zero_recovery() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(shadow(yes))]
//~ error at `shadow`: write `shadow` alone, or `shadow = false`
fn shadow_in_parentheses() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(shadow = "yes")]
//~ error at `"yes"`: write `shadow` alone, or `shadow = false`
fn shadow_with_a_text() -> Result<(), ()> {
    Err(())
}
