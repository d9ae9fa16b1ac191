// A hook takes the event.
use resilience::retry;

fn note(attempt: u32) {
    let _ = attempt;
}

#[retry(on_retry = note)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
