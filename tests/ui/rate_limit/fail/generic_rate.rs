// One state for all instances cannot depend on which it is.
use resilience::rate_limit;

#[rate_limit(rate = N)]
fn call<const N: u32>() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call::<3>();
}
