// `bind` is a name.
use resilience::retry;

#[retry(bind = "attempt")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
