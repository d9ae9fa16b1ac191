// What cannot fail needs no protection: one error, in our words.
use resilience::bulkhead;

#[bulkhead(max = 10)]
fn call() -> u32 {
    7
}

fn main() {
    let _ = call();
}
