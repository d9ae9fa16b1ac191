// What a breaker is in cannot be changed while the breaker is used.
use resilience::{CircuitBreaker, circuit_breaker};

struct Client {
    breaker: CircuitBreaker,
    sent: u32,
}

impl Client {
    #[circuit_breaker(breaker = self.breaker)]
    fn call(&mut self) -> Result<(), ()> {
        self.sent += 1;
        Err(())
    }
}

fn main() {
    let _ = Client { breaker: CircuitBreaker::new(), sent: 0 }.call();
}
