// All mistakes are reported together.
use resilience::timeout;

#[timeout(5, nam = "a", error = 7)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
