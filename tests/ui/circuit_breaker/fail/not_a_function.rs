// The attribute goes on functions.
use resilience::circuit_breaker;

#[circuit_breaker]
struct Client;

fn call() -> Client {
    Client
}

fn main() {
    let _ = call();
}
