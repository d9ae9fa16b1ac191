// One attempt's changes must not reach the next.
use resilience::retry;

#[retry]
fn call(mut count: u32) -> Result<(), u32> {
    count += 1;
    Err(count)
}

fn main() {
    let _ = call(1);
}
