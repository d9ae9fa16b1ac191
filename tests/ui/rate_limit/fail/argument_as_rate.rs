// What is known at run time comes as a limiter.
use resilience::rate_limit;

#[rate_limit(rate = count)]
fn call(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

fn main() {
    let _ = call(1);
}
