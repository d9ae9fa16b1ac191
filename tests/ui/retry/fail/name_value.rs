// The keys stand in parentheses.
use resilience::retry;

#[retry = 3]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
