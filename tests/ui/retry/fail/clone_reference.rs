// A reference needs no clone.
use resilience::retry;

#[retry(clone(text))]
fn call(text: &str) -> Result<(), usize> {
    Err(text.len())
}

fn main() {
    let _ = call("");
}
