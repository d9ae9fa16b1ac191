// A `const fn` cannot wait.
use resilience::retry;

#[retry]
const fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
