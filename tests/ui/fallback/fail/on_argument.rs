// `on` takes the error by reference.
use resilience::fallback;

fn is_unavailable(error: &String) -> bool {
    error.is_empty()
}

#[fallback(value = 7, on = is_unavailable)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
