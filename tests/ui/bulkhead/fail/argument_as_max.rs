// What is known at run time comes as a bulkhead.
use resilience::bulkhead;

#[bulkhead(max = count)]
fn call(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

fn main() {
    let _ = call(1);
}
