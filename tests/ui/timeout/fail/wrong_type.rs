// A timeout is a duration.
use resilience::timeout;

#[timeout(limit)]
async fn call(limit: u64) -> Result<(), ()> {
    Err(drop(limit))
}

fn main() {
    drop(call(5));
}
