// A boxed future is made, not run, by the function.
use resilience::retry;

#[retry]
fn call() -> std::pin::Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    Box::pin(async { Err(()) })
}

fn main() {
    drop(call());
}
