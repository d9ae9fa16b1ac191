// `clone` takes names, not expressions.
use resilience::retry;

#[retry(clone(&text))]
fn call(text: String) -> Result<(), usize> {
    Err(text.len())
}

fn main() {
    let _ = call(String::new());
}
