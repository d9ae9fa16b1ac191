// A renamed import would turn the order round.
use resilience::{retry, retry as again};

#[again]
#[retry(attempts = 2)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
