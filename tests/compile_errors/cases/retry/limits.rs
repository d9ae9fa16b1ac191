// Literals that break a rule, alone or together with another key.

use resilience::retry;

#[retry(base_delay = "20s", max_delay = "10s")]
//~ error at `"20s"`: `base_delay` (20s) is longer than `max_delay` (10s), so no delay could grow; raise `max_delay` or lower `base_delay`
fn base_above_max() -> Result<(), ()> {
    Err(())
}

#[retry(budget = 20)]
//~ error at `20`: `budget` must be a share of the calls, above 0 and at most 1; `budget = 0.2` allows one retry for five calls
fn budget_ratio() -> Result<(), ()> {
    Err(())
}

// The first delay ends after the deadline.
#[retry(base_delay = "5s", deadline = "5s")]
//~ error at `"5s"`: `base_delay` (5s) is not shorter than `deadline` (5s), so no retry could start; raise `deadline` or lower `base_delay`
fn deadline_too_short() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = "linear", jitter = "decorrelated")]
//~ error at `backoff`: `backoff` and `jitter = "decorrelated"` exclude each other: decorrelated delays grow on their own from `base_delay` to `max_delay`; remove `backoff`
fn decorrelated_and_linear() -> Result<(), ()> {
    Err(())
}

#[retry(factor = 0.5)]
//~ error at `0.5`: `factor` must be a finite number of at least 1: delays cannot shrink
fn factor_below_one() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = "fixed", factor = 3)]
//~ error at `factor`: `factor` and `backoff = "fixed"` exclude each other: only exponential delays have a factor; remove one of them
fn fixed_and_factor() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = 5)]
//~ error at `5`: a jitter ratio must be between 0 and 1; for a time write `"5ms"` or `"5s"`
fn jitter_ratio() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = ["1s"], base_delay = "1s")]
//~ error at `base_delay`: `base_delay` and this `backoff` exclude each other: `backoff` determines the delays; remove `base_delay`
fn list_and_base() -> Result<(), ()> {
    Err(())
}

mod policy_and_keys {
    use resilience::retry;

    static POLICY: resilience::RetryPolicy = resilience::RetryPolicy::new();

    #[retry(policy = &POLICY, attempts = 4, deadline = "5s")]
    //~ error at `attempts`: `attempts` and `policy` exclude each other: a policy made by hand has its own settings; remove `attempts`, or set it on the policy
    //~ error at `deadline`: `deadline` and `policy` exclude each other: a policy made by hand has its own settings; remove `deadline`, or set it on the policy
    fn call() -> Result<(), ()> {
        Err(())
    }
}

#[retry(deadline = "30s1m")]
//~ error at `"30s1m"`: `m` follows a smaller or equal unit; write `"1m30s"`
fn smaller_unit_first() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 4_294_967_296)]
//~ error at `4_294_967_296`: `attempts` must be at most 4294967295
fn too_many_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(max_delay = 5s)]
//~ error at `5s`: a duration needs quotes: write `max_delay = "5s"`
fn unquoted_duration() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 0)]
//~ error at `0`: `attempts` must be at least 1: the first call counts as an attempt
fn zero_attempts() -> Result<(), ()> {
    Err(())
}

#[retry(deadline = "0s")]
//~ error at `"0s"`: `deadline` is zero, so no attempt could start; raise it or remove it
fn zero_deadline() -> Result<(), ()> {
    Err(())
}

mod jitter_above_the_ceiling {
    use resilience::retry;
    use std::time::Duration;

    #[retry(max_delay = "10s", jitter = "10s")]
    //~ error at `jitter`: `base_delay` (100ms) with the jitter on top is longer than `max_delay` (10s), so the jitter could not stay above the delay; raise `max_delay` or lower `jitter`
    fn time() -> Result<(), ()> {
        Err(())
    }

    #[retry(base_delay = "2s", max_delay = "2s", jitter = 0.5)]
    //~ error at `jitter`: `base_delay` (2s) with the jitter on top is longer than `max_delay` (2s), so the jitter could not stay above the delay; raise `max_delay` or lower `jitter`
    fn ratio() -> Result<(), ()> {
        Err(())
    }

    const BASE: Duration = Duration::from_secs(2);

    #[retry(base_delay = BASE, max_delay = "3s", jitter = "2s")]
    //~ error at `BASE`: `base_delay` with the jitter on top is longer than `max_delay`, so the jitter could not stay above the delay; raise `max_delay` or lower `jitter`
    fn constant() -> Result<(), ()> {
        Err(())
    }
}
