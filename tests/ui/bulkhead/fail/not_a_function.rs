// The attribute goes on functions.
use resilience::bulkhead;

#[bulkhead(max = 10)]
struct Client;

fn call() -> Client {
    Client
}

fn main() {
    let _ = call();
}
