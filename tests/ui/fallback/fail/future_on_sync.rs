// A future on a sync function is never run.
use resilience::fallback;

#[fallback(with = |_| async { 7 })]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
