// One thing to fall back to.
use resilience::fallback;

#[fallback(value = 7, with = |_| 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
