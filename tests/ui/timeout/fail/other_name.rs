// The time has no name of another library.
use resilience::timeout;

#[timeout(duration = "5s")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
