// The attribute goes on methods, not on the block.
use resilience::retry;

struct Client;

#[retry]
impl Client {
    fn call(&self) -> Result<(), ()> {
        Err(())
    }
}

fn call() -> Result<(), ()> {
    Client.call()
}

fn main() {
    let _ = call();
}
