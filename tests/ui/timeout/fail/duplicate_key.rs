// A key stands once.
use resilience::timeout;

#[timeout("5s", name = "a", name = "b")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
