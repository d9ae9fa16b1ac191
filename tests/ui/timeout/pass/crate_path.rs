// A re-export of the runtime under another name, as a macro of one's own would use it.
mod exports {
    pub use resilience;
}

#[resilience::timeout("5s", crate = crate::exports::resilience)]
async fn call() -> Result<(), ()> {
    Ok(())
}

fn main() {
    drop(call());
}
