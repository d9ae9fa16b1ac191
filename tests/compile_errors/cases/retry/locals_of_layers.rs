// A mistake in a layer that shares a local with the layers inside: one error.

use resilience::{Rejected, bulkhead, circuit_breaker, idempotent, rate_limit, retry, timeout};

#[retry(attempts = 0, on_rejection = "wait")]
//~ error at `0`: `attempts` must be at least 1: the first call counts as an attempt
#[rate_limit(rate = 1)]
fn patience() -> Result<(), Rejected> {
    Ok(())
}

#[retry(attempts = 0, on_rejection = "wait", deadline = "5s")]
//~ error at `0`: `attempts` must be at least 1: the first call counts as an attempt
#[timeout("1s")]
#[bulkhead(max = 1, queue = 1)]
async fn deadline_and_patience() -> Result<(), Rejected> {
    Ok(())
}

#[retry(attempts = 0)]
//~ error at `0`: `attempts` must be at least 1: the first call counts as an attempt
#[timeout("1s")]
#[circuit_breaker(on_cancel = "failure")]
#[bulkhead(max = 1, wait = "1s")]
async fn rejections() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 0.5)]
//~ error at `0.5`: expected a whole number, like `failure_threshold = 4`
#[bulkhead(max = 1)]
fn rejections_of_a_breaker() -> Result<(), Rejected> {
    Ok(())
}

#[idempotent(kee = order)]
//~ error at `kee`: `#[idempotent]` has no `kee`; did you mean `key`?
#[rate_limit(rate = 1)]
async fn rejections_of_an_idempotent_call(order: u32) -> Result<u32, Rejected> {
    Ok(order)
}

#[timeout("5")]
//~ error at `"5"`: missing unit: write `"5ms"` or `"5s"`
#[retry(attempts = 2, base_delay = "1ms")]
async fn last_failure() -> Result<(), Rejected> {
    Ok(())
}

#[timeout("1m")]
#[retry(attempts = 0, deadline = "5s")]
//~ error at `0`: `attempts` must be at least 1: the first call counts as an attempt
#[timeout("1s")]
async fn last_failure_and_deadline() -> Result<(), Rejected> {
    Ok(())
}
