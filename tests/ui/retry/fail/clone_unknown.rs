// `clone` names arguments.
use resilience::retry;

#[retry(clone(txet))]
fn call(text: String) -> Result<(), String> {
    Err(String::from(&text))
}

fn main() {
    let _ = call(String::new());
}
