// A store in a field is behind an `Arc`.
use resilience::idempotent::MemoryStore;
use resilience::{Rejected, idempotent};

struct Bank {
    store: MemoryStore,
}

impl Bank {
    #[idempotent(key = id, scope = "global", store = self.store, name = "charge")]
    async fn charge(&self, id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

fn call(bank: &Bank) {
    drop(bank.charge("a"));
}

fn main() {
    let _ = call;
}
