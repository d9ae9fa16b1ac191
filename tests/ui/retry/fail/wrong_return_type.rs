// A return type without failure cannot be retried: one error, in our words.
use resilience::retry;

#[retry]
fn call() -> u32 {
    7
}

fn main() {
    let _ = call();
}
