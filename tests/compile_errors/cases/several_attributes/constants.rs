// Arguments of the function in place of constants.

use std::time::Duration;

use resilience::{circuit_breaker, fallback, hedge, retry, timeout};

#[fallback(stale = d, key = ())]
//~ error at `d`: `stale` must be known at compile time; to change the value at run time, set `fallback.stale` by name with `resilience::control` or in a settings file
async fn stale(d: Duration) -> Option<()> {
    None
}

#[hedge(after = d, idempotent)]
//~ error at `d`: `after` must be known at compile time; to change the value at run time, set `hedge.after` by name with `resilience::control` or in a settings file
async fn after(d: Duration) -> Option<()> {
    None
}

#[hedge(after = "p95", warm_up = d, idempotent)]
//~ error at `d`: `warm_up` must be known at compile time; to change the value at run time, set `hedge.warm_up` by name with `resilience::control` or in a settings file
async fn warm_up(d: Duration) -> Option<()> {
    None
}

#[hedge(after = "p95", max = n, idempotent)]
//~ error at `n`: `max` must be a number, like `max = 2`: the future of the function has room for each attempt
async fn hedges(n: u8) -> Option<()> {
    None
}

#[retry(backoff = [d])]
//~ error at `[d]`: `backoff` must be known at compile time; for a value known at run time pass a policy: `policy = …`
async fn list_of_delays(d: Duration) -> Option<()> {
    None
}

#[retry(jitter = n)]
//~ error at `n`: `jitter` must be known at compile time; for a value known at run time pass a policy: `policy = …`
async fn jitter(n: f64) -> Option<()> {
    None
}

#[retry(on_rejection = n)]
//~ error at `n`: `on_rejection` must be known at compile time; expected one of `"stop"`, `"wait"`
async fn choice(n: &'static str) -> Option<()> {
    None
}

#[circuit_breaker(shadow = n)]
//~ error at `n`: `shadow` must be known at compile time; write `shadow` alone, or `shadow = false`
async fn switch(n: bool) -> Option<()> {
    None
}

#[fallback(value = (), log = n)]
//~ error at `n`: `log` must be known at compile time; expected one of `"error"`, `"warn"`, `"info"`, `"debug"`, `"off"`
async fn level(n: &'static str) -> Option<()> {
    None
}

#[timeout("5s", name = n)]
//~ error at `n`: `name` must be known at compile time; expected a text in quotes: `name = "…"`
async fn name(n: &'static str) -> Option<()> {
    None
}

#[fallback(stale = "5s", key = k, max_keys = k)]
//~ error at `k`: `max_keys` must be known at compile time; write a literal or a `const`
async fn max_keys(k: u32) -> Option<()> {
    None
}

#[retry(budget = n)]
//~ error at `n`: `f64` is not a `RetryBudget`, and no pointer to one
//~ label: not a policy made by hand
//~ rustc: help: the trait `resilience_core::expansion::PolicyHandle<RetryBudget>` is not implemented for `f64`
//~ note: pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`
async fn budget(n: f64) -> Option<()> {
    None
}

struct Client {
    limit: Duration,
}

impl Client {
    #[hedge(after = self.limit, idempotent)]
    //~ error at `self.limit`: `after` must be known at compile time; to change the value at run time, set `hedge.after` by name with `resilience::control` or in a settings file
    async fn field(&self) -> Option<()> {
        None
    }
}
