// All mistakes are reported together.
use resilience::rate_limit;

#[rate_limit(rate = 0, per = 7, burst = "5", kee = id)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
