// The attribute goes on functions.
use resilience::fallback;

#[fallback(value = ())]
struct Client;

fn call() -> Client {
    Client
}

fn main() {
    let _ = call();
}
