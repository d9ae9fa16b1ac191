// An unknown key near none gets the list.
use resilience::fallback;

#[fallback(value = 7, colour = 5)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
