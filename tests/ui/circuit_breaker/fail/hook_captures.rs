// `on_state_change` lives as long as the process.
use resilience::circuit_breaker;

#[circuit_breaker(on_state_change = |_| println!("{id}"))]
fn call(id: u32) -> Result<(), ()> {
    Err(drop(id))
}

fn main() {
    let _ = call(1);
}
