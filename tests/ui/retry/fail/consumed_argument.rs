// An owned argument that the body consumes.
use resilience::retry;

#[retry]
fn call(text: String) -> Result<(), String> {
    Err(text)
}

fn main() {
    let _ = call(String::new());
}
