// Names that no setting could use.

use resilience::{Rejected, bulkhead, circuit_breaker, coalesce, fallback, hedge, idempotent, rate_limit, retry, timeout};

#[bulkhead(max = 10, name = "")]
//~ error at `""`: `name` is empty; write a name, or remove `name`
fn empty() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(name = " ")]
//~ error at `" "`: `name` is empty; write a name, or remove `name`
fn blank() -> Result<(), Rejected> {
    Ok(())
}

#[rate_limit(rate = 10, name = "payments::*")]
//~ error at `"payments::*"`: `name` has a `*`, which is a pattern in settings and in `control`; remove the `*`
fn pattern() -> Result<(), Rejected> {
    Ok(())
}

#[retry(name = "two\nlines")]
//~ error at `"two\nlines"`: `name` has a control character or more than 512 bytes, so no setting could name the policy
fn lines() -> Result<(), Rejected> {
    Ok(())
}

#[timeout("5s", name = "")]
//~ error at `""`: `name` is empty; write a name, or remove `name`
async fn timeout_without_a_name() -> Result<(), Rejected> {
    Ok(())
}

#[coalesce(key = (), name = "")]
//~ error at `""`: `name` is empty; write a name, or remove `name`
#[fallback(value = (), name = "")]
//~ error at `""`: `name` is empty; write a name, or remove `name`
#[hedge(after = "50ms", idempotent, name = "")]
//~ error at `""`: `name` is empty; write a name, or remove `name`
async fn stack_without_names() -> Result<(), Rejected> {
    Ok(())
}

#[idempotent(key = 7, scope = "global", name = "")]
//~ error at `""`: `name` is empty; write a name, or remove `name`
fn records_without_a_name() -> std::io::Result<()> {
    Ok(())
}
