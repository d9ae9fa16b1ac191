// Literals that break a rule, alone or together with another key.

use resilience::retry;

#[retry(base_delay = "20s", max_delay = "10s")]
//~ error at `"20s"`: `base_delay` is longer than `max_delay`, so no delay would ever grow
fn base_above_max() -> Result<(), ()> {
    Err(())
}

#[retry(budget = 20)]
//~ error at `20`: a budget is a share of the calls, above 0 and at most 1: `budget = 0.2` allows one retry for five calls
fn budget_ratio() -> Result<(), ()> {
    Err(())
}

// The first delay ends after the deadline.
#[retry(base_delay = "5s", deadline = "5s")]
//~ error at `"5s"`: `base_delay` is not shorter than `deadline`, which leaves no room for a retry
fn deadline_too_short() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = "linear", jitter = "decorrelated")]
//~ error at `backoff`: `backoff` and `jitter = "decorrelated"` exclude each other: decorrelated delays grow by themselves, from `base_delay` to `max_delay`
fn decorrelated_and_linear() -> Result<(), ()> {
    Err(())
}

#[retry(factor = 0.5)]
//~ error at `0.5`: `factor` must be a finite number of at least 1: delays do not shrink
fn factor_below_one() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = "fixed", factor = 3)]
//~ error at `factor`: `factor` and `backoff = "fixed"` exclude each other: only exponential delays have a factor
fn fixed_and_factor() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = 5)]
//~ error at `5`: a jitter ratio must be between 0 and 1; for a time write `"5ms"` or `"5s"`
fn jitter_ratio() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = ["1s"], base_delay = "1s")]
//~ error at `base_delay`: `base_delay` and this `backoff` exclude each other: its delays are its own
fn list_and_base() -> Result<(), ()> {
    Err(())
}

mod policy_and_keys {
    use resilience::retry;

    static POLICY: resilience::RetryPolicy = resilience::RetryPolicy::new();

    #[retry(policy = &POLICY, attempts = 4, deadline = "5s")]
    //~ error at `attempts`: `attempts` and `policy` exclude each other: say it on the policy, `.attempts(…)`
    //~ error at `deadline`: `deadline` and `policy` exclude each other: say it on the policy, `.deadline(…)`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

#[retry(deadline = "30s1m")]
//~ error at `"30s1m"`: `m` after a smaller or the same unit: expected a duration, like `"250ms"`, `"5s"` or `"1m30s"`
fn smaller_unit_first() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 4_294_967_296)]
//~ error at `4_294_967_296`: `attempts` is at most 4294967295
fn too_many_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(max_delay = 5s)]
//~ error at `5s`: a duration is quoted: `max_delay = "5s"`
fn unquoted_duration() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 0)]
//~ error at `0`: `attempts` counts the first call, so it must be at least 1
fn zero_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(deadline = "0s")]
//~ error at `"0s"`: `deadline` is zero, so no attempt could start
fn zero_deadline() -> Result<(), ()> {
    Err(())
}
