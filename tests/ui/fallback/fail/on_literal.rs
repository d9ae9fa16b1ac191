// `on` is a function.
use resilience::fallback;

#[fallback(value = 7, on = true)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
