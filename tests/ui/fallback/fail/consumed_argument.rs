// The answer uses what the body has consumed: it is lent.
use resilience::fallback;

#[fallback(value = id.len() as u32)]
fn call(id: String) -> Result<u32, ()> {
    drop(id);
    Err(())
}

fn main() {
    let _ = call(String::new());
}
