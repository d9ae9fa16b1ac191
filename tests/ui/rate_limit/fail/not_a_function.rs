// The attribute goes on functions.
use resilience::rate_limit;

#[rate_limit(rate = 10)]
struct Client;

fn call() -> Client {
    Client
}

fn main() {
    let _ = call();
}
