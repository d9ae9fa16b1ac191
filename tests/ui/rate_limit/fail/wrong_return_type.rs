// What cannot fail needs no protection: one error, in our words.
use resilience::rate_limit;

#[rate_limit(rate = 10)]
fn call() -> u32 {
    7
}

fn main() {
    let _ = call();
}
