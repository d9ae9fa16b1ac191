// What a limiter is in cannot be changed while the limiter is used.
use std::time::Duration;

use resilience::{RateLimiter, rate_limit};

struct Client {
    limiter: RateLimiter,
    sent: u32,
}

impl Client {
    #[rate_limit(limiter = self.limiter)]
    fn call(&mut self) -> Result<(), ()> {
        self.sent += 1;
        Err(())
    }
}

fn main() {
    let limiter = RateLimiter::new(1, Duration::from_secs(1));
    let _ = Client { limiter, sent: 0 }.call();
}
