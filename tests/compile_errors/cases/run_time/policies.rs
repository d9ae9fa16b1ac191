// A policy that the attribute would make anew for each call has no state of earlier calls.

use std::sync::Arc;
use std::time::Duration;

use resilience::idempotent::MemoryStore;
use resilience::{
    Bulkhead, CircuitBreaker, Coalescer, RateLimiter, Rejected, RetryBudget, bulkhead,
    circuit_breaker, coalesce, hedge, idempotent, rate_limit, retry,
};

#[circuit_breaker(breaker = CircuitBreaker::new())]
//~ error at `CircuitBreaker::new()`: this expression makes a new `CircuitBreaker` for each call, without the state of earlier calls; keep the `CircuitBreaker` in a `static` or in a field
fn breaker() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(breaker = &Arc::new(CircuitBreaker::default().failure_threshold(3)))]
//~ error at `&Arc::new(CircuitBreaker::default().failure_threshold(3))`: this expression makes a new `CircuitBreaker` for each call, without the state of earlier calls; keep the `CircuitBreaker` in a `static` or in a field
fn breaker_in_an_arc() -> Result<(), Rejected> {
    Ok(())
}

#[bulkhead(bulkhead = resilience::Bulkhead::new(3))]
//~ error at `resilience::Bulkhead::new(3)`: this expression makes a new `Bulkhead` for each call, without the state of earlier calls; keep the `Bulkhead` in a `static` or in a field
fn bulkhead_of_a_path() -> Result<(), Rejected> {
    Ok(())
}

#[bulkhead(bulkhead = (Bulkhead::new(3)).queue(2))]
//~ error at `(Bulkhead::new(3)).queue(2)`: this expression makes a new `Bulkhead` for each call, without the state of earlier calls; keep the `Bulkhead` in a `static` or in a field
fn bulkhead_in_parentheses() -> Result<(), Rejected> {
    Ok(())
}

#[rate_limit(limiter = RateLimiter::new(3, Duration::from_secs(1)).burst(2))]
//~ error at `RateLimiter::new(3, Duration::from_secs(1)).burst(2)`: this expression makes a new `RateLimiter` for each call, without the state of earlier calls; keep the `RateLimiter` in a `static` or in a field
fn limiter() -> Result<(), Rejected> {
    Ok(())
}

#[coalesce(key = id, coalescer = Coalescer::new())]
//~ error at `Coalescer::new()`: this expression makes a new `Coalescer` for each call, without the state of earlier calls; keep the `Coalescer` in a `static` or in a field
fn coalescer(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[retry(budget = &RetryBudget::ratio(0.2))]
//~ error at `&RetryBudget::ratio(0.2)`: this expression makes a new `RetryBudget` for each call, without the state of earlier calls; keep the `RetryBudget` in a `static` or in a field
fn budget() -> Result<(), Rejected> {
    Ok(())
}

#[hedge(after = "1s", idempotent, budget = RetryBudget::new())]
//~ error at `RetryBudget::new()`: this expression makes a new `RetryBudget` for each call, without the state of earlier calls; keep the `RetryBudget` in a `static` or in a field
async fn budget_of_a_hedge() -> Result<(), Rejected> {
    Ok(())
}

#[idempotent(key = id, scope = "global", store = Arc::new(MemoryStore::new()))]
//~ error at `Arc::new(MemoryStore::new())`: this expression makes a new `MemoryStore` for each call, without the state of earlier calls; keep the `MemoryStore` in a `static` or in a field
fn store(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

fn main() {}
