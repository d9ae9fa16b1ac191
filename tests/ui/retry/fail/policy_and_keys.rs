// A policy from elsewhere excludes the keys that it holds.
use resilience::retry;

static POLICY: resilience::RetryPolicy = resilience::RetryPolicy::new();

#[retry(policy = &POLICY, attempts = 4, deadline = "5s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
