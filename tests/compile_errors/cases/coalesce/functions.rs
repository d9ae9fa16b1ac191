// Functions whose outcomes cannot be shared, and orders that count or store one execution twice.

use std::pin::Pin;

use resilience::{Rejected, circuit_breaker, coalesce, idempotent};

#[coalesce(key = id)]
async fn exclusive_argument(id: u32, log: &mut Vec<u32>) -> Option<u32> {
    log.push(id);
    Some(id)
}

#[coalesce(key = id)]
async fn optional_exclusive_argument(id: u32, log: Option<&mut Vec<u32>>) -> Option<u32> {
    drop(log);
    Some(id)
}

#[coalesce(key = 7)]
async fn pinned_argument(task: Pin<&mut u32>) -> Option<u32> {
    Some(*task)
}

#[coalesce(key = id)]
fn borrowed_outcome(id: &str) -> Option<&str> {
    Some(id)
}

struct Client {
    tenant: u32,
}

impl Client {
    #[coalesce(key = id)]
    async fn method_without_self(&self, id: u32) -> Option<u32> {
        Some(self.tenant + id)
    }

    #[coalesce(key = self.tenant)]
    fn exclusive_self(&mut self) -> Option<u32> {
        self.tenant += 1;
        Some(self.tenant)
    }
}

#[coalesce(key = id)]
#[coalesce(key = id)]
fn twice(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[circuit_breaker]
#[coalesce(key = id)]
fn below_a_breaker(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global")]
#[coalesce(key = id)]
fn below_idempotent(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}
