// A value without a key.
use resilience::fallback;

#[fallback(7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
