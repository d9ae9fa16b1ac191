// The function takes the error, even where it does not look.
use resilience::fallback;

#[fallback(with = || 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
