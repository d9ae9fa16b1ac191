// `error` takes the rejection.
use resilience::circuit_breaker;

fn refuse(name: &str) {
    let _ = name;
}

#[circuit_breaker(error = refuse)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
