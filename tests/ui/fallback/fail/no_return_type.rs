// A function that returns nothing cannot fail.
use resilience::fallback;

#[fallback(value = ())]
fn call() {}

fn main() {
    call();
}
