// A borrow of a `&mut` argument cannot be returned.
use resilience::retry;

#[retry]
fn call(items: &mut Vec<u32>) -> Result<&mut u32, ()> {
    items.first_mut().ok_or(())
}

fn main() {
    let _ = call(&mut vec![]);
}
