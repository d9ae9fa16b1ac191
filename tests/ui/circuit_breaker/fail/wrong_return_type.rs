// What cannot fail needs no protection: one error, in our words.
use resilience::circuit_breaker;

#[circuit_breaker]
fn call() -> u32 {
    7
}

fn main() {
    let _ = call();
}
