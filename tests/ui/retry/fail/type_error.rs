// A type error in the body reads as in a plain function.
use resilience::retry;

#[retry]
async fn call() -> Result<String, ()> {
    Ok(5)
}

fn main() {
    drop(call());
}
