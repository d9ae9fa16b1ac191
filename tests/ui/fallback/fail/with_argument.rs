// The function takes the error.
use resilience::fallback;

fn cached(id: &str) -> u32 {
    id.len() as u32
}

#[fallback(with = cached)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
