// What is known at run time comes as a policy.
use resilience::retry;

#[retry(attempts = count)]
fn call(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

fn main() {
    let _ = call(1);
}
