// Something to fall back to.
use resilience::fallback;

#[fallback]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
