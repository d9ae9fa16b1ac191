// The name of another library, with its value.
use resilience::fallback;

#[fallback(default = 7)]
fn call() -> Result<u32, ()> {
    Err(())
}

fn main() {
    let _ = call();
}
