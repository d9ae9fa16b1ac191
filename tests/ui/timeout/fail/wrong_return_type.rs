// What cannot fail needs no protection: one error, in our words.
use resilience::timeout;

#[timeout("5s")]
async fn call() -> u32 {
    7
}

fn main() {
    drop(call());
}
