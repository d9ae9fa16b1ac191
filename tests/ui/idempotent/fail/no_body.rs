// A method without a body has nothing to go around.
use resilience::{Rejected, idempotent};

trait Charge {
    #[idempotent(key = id, scope = "global", name = "charge")]
    fn charge(&self, id: &str) -> Result<(), Rejected>;
}

fn call(charge: &dyn Charge) -> Result<(), Rejected> {
    charge.charge("a")
}

fn main() {
    let _ = call;
}
