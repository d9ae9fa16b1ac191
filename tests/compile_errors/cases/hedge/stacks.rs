// Orders of attributes.

use resilience::{Rejected, bulkhead, circuit_breaker, coalesce, fallback, hedge, retry, timeout};

#[circuit_breaker(failure_threshold = 5)]
#[hedge(after = "50ms", idempotent)]
//~ error at `hedge`: a `#[hedge]` below `#[circuit_breaker]` hides failed and slow attempts from the breaker, and starts attempts that no breaker admits; move `#[hedge]` above `#[circuit_breaker]`
async fn below_a_breaker() -> Result<(), Rejected> {
    Ok(())
}

#[bulkhead(max = 5)]
#[hedge(after = "50ms", idempotent)]
//~ error at `hedge`: a `#[hedge]` below `#[bulkhead]` runs several attempts with the permit of one call, so more calls than `max` reach the dependency; move `#[hedge]` above `#[bulkhead]`
async fn below_a_bulkhead() -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "50ms", idempotent)]
//~ error at `#[hedge(after = "50ms", idempotent)]`: two `#[hedge]` on one function multiply their attempts; remove one of them, and set `max` on the other
#[hedge(after = "90ms", idempotent)]
async fn twice() -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "50ms", idempotent)]
//~ error at `#[hedge(after = "50ms", idempotent)]`: a `#[hedge]` above `#[coalesce]` has no effect: its second attempt would wait for the first; move `#[coalesce]` above `#[hedge]`
#[coalesce(key = ())]
async fn above_coalesce() -> Result<(), Rejected> {
    Ok(())
}

#[timeout("50ms")]
#[hedge(after = "50ms", idempotent)]
//~ error at `"50ms"`: `after` is not shorter than the limit of the `#[timeout]` above, so no hedge could start for a slow call; lower `after`, or raise the limit
async fn ends_before_the_hedge() -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "50ms", idempotent)]
#[fallback(value = ())]
//~ error at `fallback`: this `#[fallback]` turns every failure into a success, so `#[hedge]` above could never see a failure; move `#[fallback]` above `#[hedge]`, or select the errors with `on = …`
async fn above_a_fallback() -> Result<(), Rejected> {
    Ok(())
}

#[retry(attempts = 3)]
#[hedge(after = "50ms", idempotent, budget = 0.2)]
//~ error at `budget`: the attempts of one function share one budget; move `budget` to the `#[retry]` above
async fn budget_on_the_hedge_below() -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "50ms", idempotent)]
#[retry(attempts = 3, budget)]
//~ error at `budget`: the attempts of one function share one budget; move `budget` to the `#[hedge]` above
async fn budget_on_the_retry_below() -> Result<(), Rejected> {
    Ok(())
}
