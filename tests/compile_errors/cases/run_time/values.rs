// Values that are known at run time only.

use std::time::Duration;

use resilience::{Rejected, bulkhead, circuit_breaker, rate_limit, retry};

#[retry(deadline = limit())]
//~ error at `limit()`: `deadline` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `deadline = { … }`; for a value known at run time pass a policy: `policy = …`
fn call_of_a_function() -> Option<u32> {
    None
}

#[retry(attempts = config::attempts())]
//~ error at `config::attempts()`: `attempts` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `attempts = { … }`; for a value known at run time pass a policy: `policy = …`
fn call_in_a_module() -> Option<u32> {
    None
}

#[bulkhead(max = 2 * size())]
//~ error at `2 * size()`: `max` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `max = { … }`; for a value known at run time pass a policy: `bulkhead = …`
fn call_in_an_operand() -> Option<u32> {
    None
}

#[circuit_breaker(window = settings().window)]
//~ error at `settings().window`: `window` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `window = { … }`; for a value known at run time pass a policy: `breaker = …`
fn call_of_a_window() -> Result<(), Rejected> {
    Ok(())
}

#[retry(attempts = (size()), base_delay = settings().window.min(MAX), max_delay = MAX.min(limit()))]
//~ error at `(size())`: `attempts` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `attempts = { … }`; for a value known at run time pass a policy: `policy = …`
//~ error at `settings().window.min(MAX)`: `base_delay` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `base_delay = { … }`; for a value known at run time pass a policy: `policy = …`
//~ error at `MAX.min(limit())`: `max_delay` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `max_delay = { … }`; for a value known at run time pass a policy: `policy = …`
fn calls_in_parentheses_and_methods() -> Option<u32> {
    None
}

#[retry(attempts = settings().window as u32)]
//~ error at `settings().window as u32`: `attempts` must be known at compile time, and the result of a call may not be; for a `const fn` add braces: `attempts = { … }`; for a value known at run time pass a policy: `policy = …`
fn call_in_a_cast() -> Option<u32> {
    None
}

#[rate_limit(rate = rate, key = who)]
//~ error at `rate`: `rate` must be known at compile time; for a value known at run time set the numbers of each key with `settings = …`, or pass a policy per key: `limiter = POLICIES.get(key)` with a `Keyed`
fn rate_of_a_key(rate: u32, who: u32) -> Result<u32, Rejected> {
    Ok(who + rate)
}

#[circuit_breaker(failure_threshold = host.len(), key = host)]
//~ error at `host.len()`: `failure_threshold` must be known at compile time; for a value known at run time set the numbers of each key with `settings = …`, or pass a policy per key: `breaker = POLICIES.get(key)` with a `Keyed`
fn threshold_of_a_key(host: &str) -> Result<usize, Rejected> {
    Ok(host.len())
}

struct Client {
    name: String,
}

impl Client {
    #[circuit_breaker(on_state_change = |change| log(self.name.clone(), change.to))]
    //~ error at `|change| log(self.name.clone(), change.to)`: `on_state_change` belongs to the policy and runs outside the call, so the hook cannot use `self`; for a hook with values of its own pass a policy, `breaker = …`, made with `on_state_change_with`
    fn hook_with_self(&self) -> Result<usize, Rejected> {
        Ok(self.name.len())
    }

    #[circuit_breaker(on_state_change = self.notify)]
    //~ error at `self.notify`: `on_state_change` belongs to the policy and runs outside the call, so the hook cannot use `self`; for a hook with values of its own pass a policy, `breaker = …`, made with `on_state_change_with`
    fn hook_in_a_field(&self) -> Result<usize, Rejected> {
        Ok(self.name.len())
    }
}

fn log(_: String, _: resilience::CircuitState) {}

fn limit() -> Duration {
    Duration::from_secs(1)
}

struct Settings {
    window: Duration,
}

fn settings() -> Settings {
    Settings { window: limit() }
}

const MAX: Duration = Duration::from_secs(9);

fn size() -> u32 {
    7
}

mod config {
    pub fn attempts() -> u32 {
        7
    }
}

fn main() {}
