// An unknown key far from all gets the list.
use resilience::retry;

#[retry(colour = "red")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
