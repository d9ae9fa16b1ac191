// The value has the type of a success.
use resilience::fallback;

#[fallback(value = "seven")]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
