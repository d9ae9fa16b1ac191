// A re-export of the runtime under another name, as a macro of one's own would use it.
mod exports {
    pub use resilience;
}

use exports::resilience::Rejected;

#[resilience::idempotent(crate = crate::exports::resilience, key = id, scope = "global")]
fn call(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

fn main() {
    assert_eq!(call(7), Ok(7));
}
