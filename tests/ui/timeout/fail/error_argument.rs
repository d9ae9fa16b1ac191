// `error` takes the rejection.
use resilience::timeout;

fn refuse(name: &str) {
    let _ = name;
}

#[timeout("5s", error = refuse)]
async fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    drop(call());
}
