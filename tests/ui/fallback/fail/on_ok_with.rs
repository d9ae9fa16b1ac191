// A value that `on_ok` declines has no error to make something of.
use resilience::fallback;

#[fallback(with = |error| 304, on_ok = |status| *status >= 500)]
fn call() -> Result<u16, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
