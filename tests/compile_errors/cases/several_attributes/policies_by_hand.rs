// Values of another type in place of a policy made by hand.

use resilience::{Rejected, circuit_breaker, coalesce, rate_limit, retry};

#[retry(policy = 5u32 + 1)]
//~ rustc: error[E0308] at `5u32`: mismatched types
//~ rustc: label: expected `&RetryPolicy<_>`, found `u32`
//~ rustc: note: expected reference `&RetryPolicy<_>` found type `u32`
fn retry_policy(host: &str) -> Result<u32, Rejected> {
    Ok(7)
}

#[circuit_breaker(breaker = host)]
//~ error at `host`: `&str` is not a `resilience::CircuitBreaker<_>`, and no pointer to one
//~ label: not a policy made by hand
//~ rustc: help: the trait `resilience_core::expansion::PolicyHandle<resilience::CircuitBreaker<_>>` is not implemented for `&str`
//~ note: pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`
fn breaker(host: &str) -> Result<u32, Rejected> {
    Ok(7)
}

#[rate_limit(limiter = host)]
//~ error at `host`: `&str` is not a `RateLimiter<_>`, and no pointer to one
//~ label: not a policy made by hand
//~ rustc: help: the trait `resilience_core::expansion::PolicyHandle<RateLimiter<_>>` is not implemented for `&str`
//~ note: pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`
fn limiter(host: &str) -> Result<u32, Rejected> {
    Ok(7)
}

#[coalesce(key = 5, coalescer = host)]
//~ error at `host`: `&str` is not a `Coalescer`, and no pointer to one
//~ label: not a policy made by hand
//~ rustc: help: the trait `resilience_core::expansion::PolicyHandle<Coalescer>` is not implemented for `&str`
//~ note: pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`
fn coalescer(host: &str) -> Result<u32, Rejected> {
    Ok(7)
}

#[retry(budget = host)]
//~ error at `host`: `f64` is not a `RetryBudget`, and no pointer to one
//~ label: not a policy made by hand
//~ rustc: help: the trait `resilience_core::expansion::PolicyHandle<RetryBudget>` is not implemented for `f64`
//~ note: pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`
fn budget(host: f64) -> Result<u32, Rejected> {
    Ok(7)
}
