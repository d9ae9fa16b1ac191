// A function that makes a future is called once for each future.
use resilience::{Rejected, idempotent};

#[idempotent(key = id, scope = "global")]
fn call(id: u32) -> impl Future<Output = Result<(), Rejected>> {
    async move { Ok(drop(id)) }
}

fn main() {
    drop(call(1));
}
