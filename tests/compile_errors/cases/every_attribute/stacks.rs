// Attributes that exclude each other, stand in the wrong order, or are imported under another name.

use resilience::{Rejected, circuit_breaker, fallback, idempotent, rate_limit, retry, timeout};

// One error for both attributes above.
#[retry]
#[circuit_breaker]
#[fallback(value = 7)]
//~ error at `fallback`: this `#[fallback]` turns every failure into a success, so `#[retry]` above could never see a failure; move `#[fallback]` above `#[retry]`, or select the errors with `on = …`
fn fallback_below_both() -> Result<u32, ()> {
    Err(())
}

#[circuit_breaker]
#[fallback(value = 7)]
//~ error at `fallback`: this `#[fallback]` turns every failure into a success, so `#[circuit_breaker]` above could never see a failure; move `#[fallback]` above `#[circuit_breaker]`, or select the errors with `on = …`
fn fallback_below_circuit_breaker() -> Result<u32, ()> {
    Err(())
}

#[retry]
#[fallback(value = 7)]
//~ error at `fallback`: this `#[fallback]` turns every failure into a success, so `#[retry]` above could never see a failure; move `#[fallback]` above `#[retry]`, or select the errors with `on = …`
fn fallback_below_retry() -> Result<u32, ()> {
    Err(())
}

// The record would hold the value of the fallback.
#[idempotent(key = id, scope = "global")]
//~ error at `#[idempotent(key = id, scope = "global")]`: `#[idempotent]` would store the replacement from the `#[fallback]` below, and return it until `ttl` ends; move `#[fallback]` above `#[idempotent]`
#[fallback(value = ())]
fn idempotent_fallback_below(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// A renamed import does not see the attribute below.
mod bulkhead_renamed_import {
    use resilience::{bulkhead, timeout as limit};

    #[bulkhead(max = 10)]
    #[limit("5s")]
    //~ error at `#[limit("5s")]`: a resilience attribute above did not recognize this `#[timeout]`, so the order of the two would be reversed; write the name of the attribute, as `#[timeout]` or `#[resilience::timeout]`, without an import under another name
    async fn call() -> Result<(), ()> {
        Err(())
    }
}

mod circuit_breaker_renamed_import {
    use resilience::{bulkhead as limit, circuit_breaker};

    #[circuit_breaker]
    #[limit(max = 10)]
    //~ error at `#[limit(max = 10)]`: a resilience attribute above did not recognize this `#[bulkhead]`, so the order of the two would be reversed; write the name of the attribute, as `#[bulkhead]` or `#[resilience::bulkhead]`, without an import under another name
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod idempotent_renamed_import {
    use resilience::{Rejected, idempotent as once, retry};

    #[retry]
    #[once(key = id, scope = "global")]
    //~ error at `#[once(key = id, scope = "global")]`: a resilience attribute above did not recognize this `#[idempotent]`, so the order of the two would be reversed; write the name of the attribute, as `#[idempotent]` or `#[resilience::idempotent]`, without an import under another name
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

mod retry_renamed_import {
    use resilience::{retry, retry as again};

    #[again]
    //~ error at `#[again]`: two `#[retry]` on one function multiply their attempts; remove one of them
    #[retry(attempts = 2)]
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// An attribute does not see a renamed import below.
mod bulkhead_renamed_sibling {
    use resilience::{bulkhead, retry as again};

    #[bulkhead(max = 10)]
    #[again]
    //~ error at `#[again]`: a resilience attribute above did not recognize this `#[retry]`, so the order of the two would be reversed; write the name of the attribute, as `#[retry]` or `#[resilience::retry]`, without an import under another name
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod fallback_renamed_sibling {
    use resilience::{bulkhead as limit, fallback};

    #[fallback(value = ())]
    #[limit(max = 10)]
    //~ error at `#[limit(max = 10)]`: a resilience attribute above did not recognize this `#[bulkhead]`, so the order of the two would be reversed; write the name of the attribute, as `#[bulkhead]` or `#[resilience::bulkhead]`, without an import under another name
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod rate_limit_renamed_sibling {
    use resilience::{rate_limit, retry as again};

    #[rate_limit(rate = 10)]
    #[again]
    //~ error at `#[again]`: a resilience attribute above did not recognize this `#[retry]`, so the order of the two would be reversed; write the name of the attribute, as `#[retry]` or `#[resilience::retry]`, without an import under another name
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod timeout_renamed_sibling {
    use resilience::{rate_limit as limit, timeout};

    #[timeout("5s")]
    #[limit(rate = 10)]
    //~ error at `#[limit(rate = 10)]`: a resilience attribute above did not recognize this `#[rate_limit]`, so the order of the two would be reversed; write the name of the attribute, as `#[rate_limit]` or `#[resilience::rate_limit]`, without an import under another name
    async fn call() -> Result<(), ()> {
        Err(())
    }
}

// A mistake in a whole attribute is reported at that attribute.
#[retry]
#[rate_limit]
//~ error at `rate_limit`: `#[rate_limit]` needs a rate: `rate = 100` for a rate per second; for another period add `per = "1m"`
fn rate_limit_second_in_a_stack() -> Result<(), ()> {
    Err(())
}

#[retry]
#[resilience::timeout]
//~ error at `timeout`: `#[timeout]` needs a value: `#[timeout("5s")]`
async fn timeout_second_in_a_stack() -> Result<(), ()> {
    Err(())
}

// A timeout above drops the call before the breaker can count the failure.
#[timeout("5s")]
#[circuit_breaker]
//~ error at `circuit_breaker`: a `#[timeout]` above `#[circuit_breaker]` drops a call that hangs, so the breaker could not count the call; put `#[timeout]` below, add another below, or decide with `on_cancel = "failure"` or `on_cancel = "ignore"`
async fn circuit_breaker_timeout_above() -> Result<(), ()> {
    Err(())
}

#[idempotent(key = id, scope = "global")]
//~ error at `#[idempotent(key = id, scope = "global")]`: two `#[idempotent]` on one function store two records for each call; remove one of them
#[idempotent(step = "again")]
fn idempotent_two_idempotent(id: &str) -> Result<(), Rejected> {
    Ok(drop(id))
}

// Each attribute of a stack reports its own mistakes.
#[retry(attempts = 0)]
//~ error at `0`: `attempts` must be at least 1: the first call counts as an attempt
#[timeout(5)]
//~ error at `5`: missing unit: write `"5ms"` or `"5s"`
async fn timeout_two_mistakes_in_a_stack() -> Result<(), ()> {
    Err(())
}

#[retry]
//~ error at `#[retry]`: two `#[retry]` on one function multiply their attempts; remove one of them
#[retry(attempts = 2)]
fn retry_two_retries() -> Result<(), ()> {
    Err(())
}

// An attribute of another crate that was imported under the name of an attribute of this library.
mod foreign_attribute_with_the_same_name {
    use compiler_args::unchanged as timeout;
    use resilience::{Rejected, retry};

    #[retry]
    #[timeout("5s")]
    async fn call() -> Result<(), Rejected> {
    //~ error at `call`: the `#[timeout]` of this function is not the attribute of resilience; write the path of the other attribute, as `#[other_crate::timeout]`, or import it under another name
        Ok(())
    }
}

// A mistake in a layer inside is reported alone.
mod mistake_in_the_layer_inside {
    use resilience::{Rejected, retry, timeout};

    #[retry]
    #[timeout("5 parsecs")]
    //~ error at `"5 parsecs"`: unknown unit `parsecs`; expected one of `ns`, `us`, `ms`, `s`, `m`, `h`, `d`
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
}

mod coalesce_renamed_import {
    use resilience::{coalesce, timeout as limit};

    #[coalesce(key = 7)]
    #[limit("5s")]
    //~ error at `#[limit("5s")]`: a resilience attribute above did not recognize this `#[timeout]`, so the order of the two would be reversed; write the name of the attribute, as `#[timeout]` or `#[resilience::timeout]`, without an import under another name
    async fn call() -> Result<(), ()> {
        Err(())
    }
}

mod hedge_renamed_import {
    use resilience::{hedge, timeout as limit};

    #[hedge(after = "50ms", idempotent)]
    #[limit("5s")]
    //~ error at `#[limit("5s")]`: a resilience attribute above did not recognize this `#[timeout]`, so the order of the two would be reversed; write the name of the attribute, as `#[timeout]` or `#[resilience::timeout]`, without an import under another name
    async fn call() -> Result<(), ()> {
        Err(())
    }
}

// A renamed import between two attributes.
mod renamed_in_the_middle {
    use resilience::{Rejected, rate_limit, retry as again, timeout};

    #[timeout("5s")]
    #[again(attempts = 3)]
    //~ error at `#[again(attempts = 3)]`: a resilience attribute above did not recognize this `#[retry]`, so the order of the two would be reversed; write the name of the attribute, as `#[retry]` or `#[resilience::retry]`, without an import under another name
    #[rate_limit(rate = 10)]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
}
