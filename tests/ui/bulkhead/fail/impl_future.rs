// A future is made, not run, by a function that returns one.
use resilience::bulkhead;

#[bulkhead(max = 10)]
fn call() -> impl Future<Output = Result<(), ()>> {
    async { Err(()) }
}

fn main() {
    drop(call());
}
