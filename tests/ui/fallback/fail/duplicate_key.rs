// A key stands once.
use resilience::fallback;

#[fallback(value = 7, value = 8)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
