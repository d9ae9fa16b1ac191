// An unknown key near a known one gets a suggestion.
use resilience::fallback;

#[fallback(valu = 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
