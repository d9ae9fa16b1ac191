// Empty parentheses have no time either.
use resilience::timeout;

#[timeout()]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
