// A method without a body has nothing to go around.
use resilience::timeout;

trait Fetch {
    #[timeout("5s")]
    async fn fetch(&self) -> Result<(), ()>;
}

fn call(fetch: &impl Fetch) {
    drop(fetch.fetch());
}

struct Client;

impl Fetch for Client {
    async fn fetch(&self) -> Result<(), ()> {
        Err(())
    }
}

fn main() {
    let _ = call(&Client);
}
