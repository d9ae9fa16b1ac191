// Functions whose outcomes cannot be shared, and orders that count or store one execution twice.

use std::pin::Pin;

use resilience::{Rejected, circuit_breaker, coalesce, idempotent};

#[coalesce(key = id)]
async fn exclusive_argument(id: u32, log: &mut Vec<u32>) -> Option<u32> {
//~ error at `log: &mut Vec<u32>`: a call that shares an execution does not run its body, so its `&mut` argument would stay unchanged; take the value by `&` or by value, and return the change
    log.push(id);
    Some(id)
}

#[coalesce(key = id)]
async fn optional_exclusive_argument(id: u32, log: Option<&mut Vec<u32>>) -> Option<u32> {
//~ error at `log: Option<&mut Vec<u32>>`: a call that shares an execution does not run its body, so its `&mut` argument would stay unchanged; take the value by `&` or by value, and return the change
    drop(log);
    Some(id)
}

#[coalesce(key = 7)]
async fn pinned_argument(task: Pin<&mut u32>) -> Option<u32> {
//~ error at `task: Pin<&mut u32>`: a call that shares an execution does not run its body, so its `&mut` argument would stay unchanged; take the value by `&` or by value, and return the change
    Some(*task)
}

#[coalesce(key = id)]
fn borrowed_outcome(id: &str) -> Option<&str> {
//~ error at `Option<&str>`: a shared outcome cannot borrow from the arguments of one call; return an owned value, such as `String` or `Arc<T>`
    Some(id)
}

struct Client {
    tenant: u32,
}

impl Client {
    #[coalesce(key = id)]
    //~ error at `id`: two values of `Self` may give different results for one key, and `#[coalesce]` would mix them; name a field in the key, like `key = (self.tenant, id)`, or `coalescer = self.coalescer`; if all values are alike, add `scope = "global"`
    async fn method_without_self(&self, id: u32) -> Option<u32> {
        Some(self.tenant + id)
    }

    #[coalesce(key = self.tenant)]
    fn exclusive_self(&mut self) -> Option<u32> {
    //~ error at `&mut self`: a call that shares an execution does not run its body, so its `&mut` argument would stay unchanged; take the value by `&` or by value, and return the change
        self.tenant += 1;
        Some(self.tenant)
    }
}

impl Client {
    #[coalesce(key = self.tenant)]
    fn typed_exclusive_self(self: &mut Self) -> Option<u32> {
    //~ error at `self: &mut Self`: a call that shares an execution does not run its body, so its `&mut` argument would stay unchanged; take the value by `&` or by value, and return the change
        Some(self.tenant)
    }
}

#[coalesce(key = id)]
fn outcome_with_a_lifetime<'id>(id: &'id str) -> Option<std::borrow::Cow<'id, str>> {
//~ error at `Option<std::borrow::Cow<'id, str>>`: a shared outcome cannot borrow from the arguments of one call; return an owned value, such as `String` or `Arc<T>`
    Some(id.into())
}

#[coalesce(key = id)]
fn outcome_in_a_tuple(id: &str) -> Option<(u32, &str)> {
//~ error at `Option<(u32, &str)>`: a shared outcome cannot borrow from the arguments of one call; return an owned value, such as `String` or `Arc<T>`
    Some((7, id))
}

#[coalesce(key = id)]
//~ error at `#[coalesce(key = id)]`: two `#[coalesce]` on one function: the calls of the lower one have been shared already; remove one of them
#[coalesce(key = id)]
fn twice(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[circuit_breaker]
#[coalesce(key = id)]
//~ error at `coalesce`: `#[circuit_breaker]` above `#[coalesce]` would count one failed execution once for each call that shares the execution; move `#[coalesce]` above `#[circuit_breaker]`
fn below_a_breaker(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global")]
#[coalesce(key = id)]
//~ error at `coalesce`: `#[idempotent]` above `#[coalesce]` would store one execution under several keys; move `#[coalesce]` above `#[idempotent]`
fn below_idempotent(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}
