// All mistakes are reported together.
use resilience::fallback;

#[fallback(value = 7, with = 5, on = 3, nmae = "a")]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
