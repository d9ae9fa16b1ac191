// Mistakes in the arguments.

use resilience::rate_limit;

#[rate_limit(rate = count)]
//~ error at `count`: `rate` must be known at compile time; for a value known at run time pass a policy: `limiter = …`
fn argument_as_rate(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

#[rate_limit(rate = 0.5)]
//~ error at `0.5`: expected a whole number; for less than one call a second write a longer `per`, like `rate = 1, per = "2s"`
fn fraction() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = N)]
//~ error at `N`: `rate` cannot depend on a generic parameter: all instances of the function share one `static` state
fn generic_rate<const N: u32>() -> Result<(), ()> {
    Err(())
}

mod limiter_and_key {
    use std::time::Duration;

    use resilience::{RateLimiter, rate_limit};

    static SHARED: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));

    #[rate_limit(limiter = &SHARED, key = 5)]
    //~ error at `key`: `key` and `limiter` exclude each other: a policy made by hand has one state for all keys; for a policy per key write `limiter = POLICIES.get(key)` with a `Keyed<RateLimiter>`, or remove `limiter` and set the numbers of each key with `settings = …`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod limiter_and_settings {
    use std::time::Duration;

    use resilience::{RateLimiter, rate_limit};

    static SHARED: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));

    #[rate_limit(limiter = &SHARED, rate = 5, burst = 2)]
    //~ error at `rate`: `rate` and `limiter` exclude each other: a policy made by hand has its own settings; remove `rate`, or set it on the policy
    //~ error at `burst`: `burst` and `limiter` exclude each other: a policy made by hand has its own settings; remove `burst`, or set it on the policy
    fn call() -> Result<(), ()> {
        Err(())
    }

    #[rate_limit(limiter = &SHARED, wait = "1s")]
    //~ error at `wait`: `wait` and `limiter` exclude each other: a policy made by hand has its own settings; remove `wait`, or set it on the policy
    fn waits_for_a_time() -> Result<(), ()> {
        Err(())
    }

    #[rate_limit(limiter = &SHARED, wait = "unlimited")]
    fn waits_without_a_limit() -> Result<(), ()> {
        Err(())
    }
}

#[rate_limit(limiter = "payments")]
//~ error at `"payments"`: expected a `RateLimiter`, like `limiter = &SHARED` or `limiter = self.limiter`
fn limiter_by_name() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, max_keys = 100)]
//~ error at `max_keys`: `max_keys` needs a `key`: write `key = …`, or remove it
fn max_keys_alone() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, per = 60)]
//~ error at `60`: missing unit: write `"60ms"` or `"60s"`
fn missing_unit() -> Result<(), ()> {
    Err(())
}

#[rate_limit(calls = 15, period = 900, burst_size = 5)]
//~ error at `calls`: `#[rate_limit]` has no `calls`; write `rate = 15` (calls in each period)
//~ error at `period`: `#[rate_limit]` has no `period`; write `per = "1s"` (the period of the rate)
//~ error at `burst_size`: `#[rate_limit]` has no `burst_size`; write `burst = 5` (calls that may start at once)
fn names_of_others() -> Result<(), ()> {
    Err(())
}

#[rate_limit(limit_for_period = 50, limit_refresh_period = "1s", timeout_duration = "5s")]
//~ error at `limit_for_period`: `#[rate_limit]` has no `limit_for_period`; write `rate = 50` (calls in each period)
//~ error at `limit_refresh_period`: `#[rate_limit]` has no `limit_refresh_period`; write `per = "1s"` (the period of the rate)
//~ error at `timeout_duration`: `#[rate_limit]` has no `timeout_duration`; write `wait = "5s"` (the longest wait of a call)
fn names_of_resilience4j() -> Result<(), ()> {
    Err(())
}

#[rate_limit]
//~ error at `#[rate_limit]`: `#[rate_limit]` needs a rate: `rate = 100` for a rate per second; for another period add `per = "1m"`
fn no_rate() -> Result<(), ()> {
    Err(())
}

#[rate_limit(per = "1s")]
//~ error at `#[rate_limit(per = "1s")]`: `#[rate_limit]` needs a rate: `rate = 100` for a rate per second; for another period add `per = "1m"`
fn per_alone() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = "100/s")]
//~ error at `"100/s"`: write `rate = 100, per = "1s"`
fn rate_as_text() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = "100", per = 1.5, burst = true)]
//~ error at `"100"`: a number has no quotes: write `rate = 100`
//~ error at `1.5`: missing unit: write `"1.5ms"` or `"1.5s"`
//~ error at `true`: expected a whole number, like `burst = 4`
fn wrong_type() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, burst = 0)]
//~ error at `0`: `burst` must be at least 1: a call counts towards its own burst
fn zero_burst() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, per = "0s")]
//~ error at `"0s"`: `per` is zero, but a rate needs a period, like `"1s"`
fn zero_per() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 0)]
//~ error at `0`: `rate` must be at least 1, or no call could run
fn zero_rate() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = "fast")]
//~ error at `"fast"`: expected a whole number, with its period: `rate = 100, per = "1m"`
fn rate_in_words() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, permits = tokens)]
//~ error at `permits`: `#[rate_limit]` has no `permits`; write `rate = 100` for the calls in each period, `cost = request.tokens` for the permits of a call
fn permits_of_a_call(tokens: u32) -> Result<(), ()> {
    Err(drop(tokens))
}

#[rate_limit(rate = 10, tokens = 5)]
//~ error at `tokens`: `#[rate_limit]` has no `tokens`; write `cost = 5` (the permits of a call)
fn tokens_of_a_call() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, cost = "5")]
//~ error at `"5"`: expected the number of permits of a call, like `cost = request.tokens`
fn cost_as_text() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, settle = |_| 5)]
//~ error at `settle`: `settle` corrects the `cost` of a call: write `cost = …` as well, or remove it
fn settle_without_cost() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, shadow = "yes")]
//~ error at `"yes"`: write `shadow` alone, or `shadow = false`
fn shadow_as_text() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, shadow(true))]
//~ error at `shadow`: write `shadow` alone, or `shadow = false`
fn shadow_in_parentheses() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, key_label = user, settings = |limiter| limiter)]
//~ error at `key_label`: `key_label` needs a `key`: write `key = …`, or remove it
//~ error at `settings`: `settings` needs a `key`: write `key = …`, or remove it
fn label_without_key(user: u32) -> Result<(), ()> {
    Err(drop(user))
}

mod limiter_and_label {
    use std::time::Duration;

    use resilience::{RateLimiter, rate_limit};

    static SHARED: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));

    #[rate_limit(limiter = &SHARED, key_label = 5, shadow)]
    //~ error at `key_label`: `key_label` and `limiter` exclude each other: a policy made by hand has one state for all keys; for a policy per key write `limiter = POLICIES.get(key)` with a `Keyed<RateLimiter>`, or remove `limiter` and set the numbers of each key with `settings = …`
    //~ error at `shadow`: `shadow` and `limiter` exclude each other: a policy made by hand has its own settings; remove `shadow`, or set it on the policy
    fn call() -> Result<(), ()> {
        Err(())
    }
}
