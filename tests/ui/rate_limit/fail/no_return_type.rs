// A function that returns nothing cannot fail.
use resilience::rate_limit;

#[rate_limit(rate = 10)]
fn call() {}

fn main() {
    call();
}
