// `on_ok` takes the value by reference.
use resilience::fallback;

fn is_busy(status: u16) -> bool {
    status >= 500
}

#[fallback(value = 304, on_ok = is_busy)]
fn call() -> Result<u16, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
