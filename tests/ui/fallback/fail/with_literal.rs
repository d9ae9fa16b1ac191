// A value stands under `value`.
use resilience::fallback;

#[fallback(with = 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
