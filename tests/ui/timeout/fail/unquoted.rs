// A duration stands in quotes.
use resilience::timeout;

#[timeout(5s)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
