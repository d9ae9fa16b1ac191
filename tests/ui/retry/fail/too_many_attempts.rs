// `attempts` fits 32 bits.
use resilience::retry;

#[retry(attempts = 4_294_967_296)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
