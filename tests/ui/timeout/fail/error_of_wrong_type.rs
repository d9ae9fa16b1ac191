// `error` makes the error of the function.
use resilience::timeout;

#[timeout("5s", error = |rejected| rejected.to_string())]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
