// An unknown key near none gets the list.
use resilience::timeout;

#[timeout("5s", colour = 5)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
