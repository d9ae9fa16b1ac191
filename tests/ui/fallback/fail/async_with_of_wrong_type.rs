// A future makes a success.
use resilience::fallback;

#[fallback(with = |_| async { "seven" })]
async fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    drop(call());
}
