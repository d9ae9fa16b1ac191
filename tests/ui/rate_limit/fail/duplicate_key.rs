// A key stands once.
use resilience::rate_limit;

#[rate_limit(rate = 10, per = "1s", rate = 20)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
