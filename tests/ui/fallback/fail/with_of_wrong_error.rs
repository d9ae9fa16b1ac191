// The whole outcome has the error of the function.
use resilience::fallback;

#[fallback(with = |_| Err::<u32, _>("no"))]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
