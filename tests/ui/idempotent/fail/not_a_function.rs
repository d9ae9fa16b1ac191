// The attribute goes on functions.
use resilience::idempotent;

#[idempotent(key = 1, scope = "global")]
struct Client;

fn call() -> Client {
    Client
}

fn main() {
    let _ = call();
}
