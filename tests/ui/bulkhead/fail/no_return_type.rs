// A function that returns nothing cannot fail.
use resilience::bulkhead;

#[bulkhead(max = 10)]
fn call() {}

fn main() {
    call();
}
