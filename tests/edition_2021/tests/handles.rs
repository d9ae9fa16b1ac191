//! Policies made elsewhere. In this edition the temporaries of the last expression of a function
//! outlive the locals of the function.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use resilience::{
    Bulkhead, CircuitBreaker, Keyed, RateLimiter, Rejected, bulkhead, circuit_breaker, rate_limit,
    retry,
};

static BULKHEADS: Keyed<Bulkhead> = Keyed::new(8, || Bulkhead::new(1));
static BREAKERS: Keyed<CircuitBreaker> = Keyed::new(8, CircuitBreaker::new);
static LIMITERS: Keyed<RateLimiter> =
    Keyed::new(8, || RateLimiter::new(9, Duration::from_secs(1)).burst(9));

struct Client {
    bulkhead: Bulkhead,
    shared: Arc<Bulkhead>,
}

impl Client {
    fn shared(&self) -> &Arc<Bulkhead> {
        &self.shared
    }

    #[bulkhead(bulkhead = &self.bulkhead)]
    fn reference(&self) -> Result<u8, Rejected> {
        Ok(1)
    }

    #[bulkhead(bulkhead = self.shared())]
    async fn method(&self) -> Result<u8, Rejected> {
        Ok(2)
    }

    #[retry]
    #[bulkhead(bulkhead = &self.bulkhead)]
    async fn repeated(&self) -> Result<u8, Rejected> {
        Ok(3)
    }
}

#[bulkhead(max = 1, key = host)]
async fn own_key(host: String) -> Result<u8, Rejected> {
    Ok(u8::try_from(host.len()).unwrap_or(0))
}

#[bulkhead(bulkhead = BULKHEADS.get(host))]
async fn bulkhead_of_table(host: &str) -> Result<u8, Rejected> {
    Ok(u8::try_from(host.len()).unwrap_or(0))
}

#[retry]
#[bulkhead(bulkhead = &BULKHEADS.get(&host))]
async fn moved_key(host: String) -> Result<u8, Rejected> {
    Ok(u8::try_from(host.len()).unwrap_or(0))
}

#[circuit_breaker(breaker = BREAKERS.get(host))]
#[rate_limit(limiter = LIMITERS.get(host))]
fn breaker_and_limit(host: &str) -> Result<u8, Rejected> {
    Ok(u8::try_from(host.len()).unwrap_or(0))
}

#[test]
fn handles_live_as_long_as_the_call() {
    let client = Client { bulkhead: Bulkhead::new(1), shared: Arc::new(Bulkhead::new(1)) };
    // The second call finds the permit of the first.
    for _ in 0..2 {
        assert_eq!(client.reference(), Ok(1));
        assert_eq!(block_on(client.method()), Ok(2));
        assert_eq!(block_on(client.repeated()), Ok(3));
        assert_eq!(block_on(own_key("four".into())), Ok(4));
        assert_eq!(block_on(bulkhead_of_table("five5")), Ok(5));
        assert_eq!(block_on(moved_key("sixsix".into())), Ok(6));
        assert_eq!(breaker_and_limit("seven77"), Ok(7));
    }
}
