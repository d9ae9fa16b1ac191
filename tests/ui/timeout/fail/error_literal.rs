// `error` is a function.
use resilience::timeout;

#[timeout("5s", error = "too slow")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
