// The function makes a success.
use resilience::fallback;

#[fallback(with = |_| "seven")]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
