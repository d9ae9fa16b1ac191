// A future is made, not run, by a function that returns one.
use resilience::fallback;

#[fallback(value = ())]
fn call() -> impl Future<Output = Result<(), ()>> {
    async { Err(()) }
}

fn main() {
    drop(call());
}
