// Every key has its type.
use resilience::rate_limit;

#[rate_limit(rate = "100", per = 1.5, burst = true)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
