// An unknown key near a known one gets a suggestion.
use resilience::timeout;

#[timeout("5s", nam = "fetch")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
