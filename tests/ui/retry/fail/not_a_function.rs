// The attribute goes on functions.
use resilience::retry;

#[retry]
struct Client;

fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = (call(), Client);
}
