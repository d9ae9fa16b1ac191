// A parameter of the function may be a constant.
use resilience::retry;

#[retry(attempts = N)]
fn call<const N: u32>() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call::<0>();
}
