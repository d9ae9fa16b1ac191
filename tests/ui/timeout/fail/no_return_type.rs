// A function that returns nothing cannot fail.
use resilience::timeout;

#[timeout("5s")]
async fn call() {}

fn main() {
    drop(call());
}
