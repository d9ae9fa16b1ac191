// A re-export of the runtime under another name, as a macro of one's own would use it.
mod exports {
    pub use resilience;
}

#[resilience::fallback(value = (), crate = crate::exports::resilience)]
fn call() -> Result<(), ()> {
    Ok(())
}

fn main() {
    assert_eq!(call(), Ok(()));
}
