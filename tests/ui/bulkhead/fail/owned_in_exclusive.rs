// What a bulkhead is in cannot be changed while the bulkhead is used.
use resilience::{Bulkhead, bulkhead};

struct Client {
    bulkhead: Bulkhead,
    sent: u32,
}

impl Client {
    #[bulkhead(bulkhead = self.bulkhead)]
    fn call(&mut self) -> Result<(), ()> {
        self.sent += 1;
        Err(())
    }
}

fn main() {
    let _ = Client { bulkhead: Bulkhead::new(1), sent: 0 }.call();
}
