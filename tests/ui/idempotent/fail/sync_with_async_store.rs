// A store that waits cannot be called by a function that does not.
use std::sync::Arc;

use resilience::idempotent::DynStore;
use resilience::{Rejected, idempotent};

struct Bank {
    store: Arc<dyn DynStore>,
}

impl Bank {
    #[idempotent(key = id, scope = "global", store = self.store, name = "charge")]
    fn charge(&self, id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

fn call(bank: &Bank) {
    let _ = bank.charge("a");
}

fn main() {
    let _ = call;
}
