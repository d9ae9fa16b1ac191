// A number in quotes has no unit.
use resilience::timeout;

#[timeout("30")]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
