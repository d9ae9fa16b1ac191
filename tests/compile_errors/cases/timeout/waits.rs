use resilience::{Rejected, bulkhead, rate_limit, retry, timeout};

#[timeout("1s")]
#[rate_limit(rate = 10, wait = "10s")]
//~ error at `"10s"`: `wait` is longer than the limit of the `#[timeout]` above, which drops the call before; lower `wait`, or raise the limit
async fn wait_for_a_turn() -> Result<(), Rejected> {
    Ok(())
}

#[timeout("500ms", name = "call")]
#[retry]
#[bulkhead(max = 1, queue = 9, wait = "501ms")]
//~ error at `"501ms"`: `wait` is longer than the limit of the `#[timeout]` above, which drops the call before; lower `wait`, or raise the limit
async fn wait_for_a_permit_below_a_retry() -> Result<(), Rejected> {
    Ok(())
}

#[timeout("1m")]
#[rate_limit(rate = 10, wait = "30s")]
#[timeout("5s")]
#[rate_limit(rate = 1, wait = "30s", name = "second")]
//~ error at `"30s"`: `wait` is longer than the limit of the `#[timeout]` above, which drops the call before; lower `wait`, or raise the limit
async fn the_shorter_of_two_limits() -> Result<(), Rejected> {
    Ok(())
}
