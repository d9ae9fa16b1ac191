// What cannot fail needs no protection: one error, in our words.
use resilience::fallback;

#[fallback(value = ())]
fn call() -> u32 {
    7
}

fn main() {
    let _ = call();
}
