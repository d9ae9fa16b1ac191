// A field is known at run time only.
use std::time::Duration;

use resilience::circuit_breaker;

struct Client {
    pause: Duration,
}

impl Client {
    #[circuit_breaker(reset_timeout = self.pause)]
    fn call(&self) -> Result<(), ()> {
        Err(())
    }
}

fn main() {
    let _ = Client { pause: Duration::from_secs(1) }.call();
}
