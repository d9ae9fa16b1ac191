// A future is made, not run, by a function that returns one.
use resilience::circuit_breaker;

#[circuit_breaker]
fn call() -> impl Future<Output = Result<(), ()>> {
    async { Err(()) }
}

fn main() {
    drop(call());
}
