// A constant parameter that breaks a rule. The compiler evaluates the rule for each call with another
// parameter, so this case has a `main`.

use resilience::retry;

#[retry(attempts = N)]
//~ error at `N`: `attempts` must be at least 1: the first call counts as an attempt
fn call<const N: u32>() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call::<0>();
}
