// The attribute goes on functions.
use resilience::timeout;

#[timeout("5s")]
struct Client;

fn call() -> Client {
    Client
}

fn main() {
    let _ = call();
}
