// The names of other libraries.
use resilience::fallback;

fn cached(_: ()) -> u32 {
    7
}

#[fallback(fallback_method = cached)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
