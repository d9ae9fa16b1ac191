// What to do with a rejection, by name.
use resilience::retry;

#[retry(on_rejection = "ignore")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
