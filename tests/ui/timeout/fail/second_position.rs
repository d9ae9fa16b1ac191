// The time stands first.
use resilience::timeout;

#[timeout(name = "fetch", "5s")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
