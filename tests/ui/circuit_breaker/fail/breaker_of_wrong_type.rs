// A breaker from elsewhere is one.
use resilience::circuit_breaker;

static SHARED: u32 = 5;

#[circuit_breaker(breaker = &SHARED)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
