// Two types may have a method of the same name.
use resilience::{Rejected, idempotent};

struct Bank;

impl Bank {
    #[idempotent(key = id, scope = "global")]
    fn charge(&self, id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

fn main() {
    let _ = Bank.charge("a");
}
