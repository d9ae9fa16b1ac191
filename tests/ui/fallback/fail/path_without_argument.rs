// A path takes the error, too.
use resilience::fallback;

fn cached() -> u32 {
    7
}

#[fallback(with = cached)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
