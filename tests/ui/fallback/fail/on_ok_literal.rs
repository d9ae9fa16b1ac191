// `on_ok` is a function of the value, not the value.
use resilience::fallback;

#[fallback(value = 304, on_ok = 503)]
fn call() -> Result<u16, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
