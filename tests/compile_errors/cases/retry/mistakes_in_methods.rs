// A mistake in an attribute of a method is the only error: the layers inside use locals of the
// layer with the mistake.

use resilience::{
    Rejected, circuit_breaker, coalesce, fallback, hedge, idempotent, rate_limit, retry, timeout,
};

struct Client;

impl Client {
    #[retry(atempts = 3)]
    //~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
    #[circuit_breaker]
    #[timeout("1s")]
    async fn retried(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }

    #[fallback(value = 1)]
    #[retry(atempts = 3, deadline = "9s")]
    //~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
    #[hedge(after = "1s", idempotent)]
    #[rate_limit(rate = 2, wait = "1s")]
    #[timeout("2s")]
    async fn hedged(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }

    #[timeout("9s")]
    #[retry(atempts = 3, on_rejection = "wait")]
    //~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
    #[rate_limit(rate = 2, wait = "1s")]
    async fn patient(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }

    #[timeout(limit)]
    #[retry]
    #[circuit_breaker(thresold = 3)]
    //~ error at `thresold`: `#[circuit_breaker]` has no `thresold`; expected one of `failure_threshold`, `failure_rate`, `window`, `min_calls`, `slow_call`, `slow_rate`, `reset_timeout`, `max_reset_timeout`, `jitter`, `recovery`, `shadow`, `max_open`, `success_threshold`, `half_open_calls`, `on_cancel`, `shared`, `on_state_change`, `name`, `on`, `on_ok`, `error`, `breaker`, `key`, `max_keys`, `key_label`, `settings`
    //~ error at `circuit_breaker`: a `#[timeout]` above `#[circuit_breaker]` drops a call that hangs, so the breaker could not count the call; put `#[timeout]` below, add another below, or decide with `on_cancel = "failure"` or `on_cancel = "ignore"`
    #[rate_limit(rate = 2)]
    fn sync(&self, id: u32) -> Result<u32, Rejected> {
    //~ error at `fn`: `#[timeout]` needs an `async fn`: a sync body cannot be stopped while it runs; set a timeout on the call inside, or make the function async
        Ok(id)
    }

    #[idempotent(key = id, scope = "global")]
    //~ error at `#[idempotent(key = id, scope = "global")]`: a method needs a name for its records, because another type in this module may have a method `without_name` too; add `name = "payments.without_name"`
    #[retry]
    #[circuit_breaker]
    async fn without_name(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }

    #[coalesce(key = id)]
    //~ error at `id`: two values of `Self` may give different results for one key, and `#[coalesce]` would mix them; name a field in the key, like `key = (self.tenant, id)`, or `coalescer = self.coalescer`; if all values are alike, add `scope = "global"`
    #[retry]
    #[circuit_breaker]
    async fn key_without_self(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }
}

trait Service {
    #[retry(atempts = 3, deadline = "5s")]
    //~ error at `atempts`: `#[retry]` has no `atempts`; did you mean `attempts`?
    #[timeout("1s")]
    async fn of_a_trait(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }
}

#[retry]
trait Annotated {
//~ error at `trait Annotated {…`: `#[retry]` needs a function or a method; write the attribute above the methods inside
    fn call(&self) -> Result<u32, Rejected>;
}

fn main() {}
