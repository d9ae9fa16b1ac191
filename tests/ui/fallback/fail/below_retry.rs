// A fallback leaves nothing to retry.
use resilience::{fallback, retry};

#[retry]
#[fallback(value = 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
