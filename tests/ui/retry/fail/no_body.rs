// A method without a body has nothing to repeat.
use resilience::retry;

trait Fetch {
    #[retry]
    fn fetch(&self) -> Result<(), ()>;
}

fn call(fetch: &dyn Fetch) -> Result<(), ()> {
    fetch.fetch()
}

fn main() {
    let _ = call;
}
