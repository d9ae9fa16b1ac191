// Units are short.
use resilience::timeout;

#[timeout("5 seconds")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
