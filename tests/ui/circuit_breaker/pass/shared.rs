// Beside any other key, and on any function.
use resilience::circuit_breaker;

struct Client;

impl Client {
    #[circuit_breaker(shared = "payments", failure_rate = 0.5, name = "charge")]
    async fn charge(&mut self) -> Option<()> {
        Some(())
    }
}

#[circuit_breaker(shared = "payments", slow_call = "1s")]
fn refund<T: Default>() -> Option<T> {
    Some(T::default())
}

fn main() {
    let mut client = Client;
    drop(client.charge());
    assert_eq!(refund(), Some(0));
}
