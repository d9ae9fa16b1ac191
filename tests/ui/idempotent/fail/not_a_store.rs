// A map is no store.
use std::collections::HashMap;
use std::sync::Arc;

use resilience::{Rejected, idempotent};

struct Bank {
    store: Arc<HashMap<String, String>>,
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
