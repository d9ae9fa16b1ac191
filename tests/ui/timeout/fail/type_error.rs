// A type error in the body reads as in a plain function.
use resilience::timeout;

#[timeout("5s")]
async fn call() -> Result<String, ()> {
    Ok(5)
}

fn main() {
    drop(call());
}
