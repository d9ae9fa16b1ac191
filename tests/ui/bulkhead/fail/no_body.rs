// A method without a body has nothing to go around.
use resilience::bulkhead;

trait Fetch {
    #[bulkhead(max = 10)]
    fn fetch(&self) -> Result<(), ()>;
}

fn call(fetch: &dyn Fetch) -> Result<(), ()> {
    fetch.fetch()
}

struct Client;

impl Fetch for Client {
    fn fetch(&self) -> Result<(), ()> {
        Err(())
    }
}

fn main() {
    let _ = call(&Client);
}
