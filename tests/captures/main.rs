//! The arguments of an annotated function. A body that compiles in a plain function compiles under
//! an attribute.
#![allow(clippy::needless_pass_by_value, reason = "the shapes of arguments are the subject")]

mod literals;
mod moves;
mod patterns;
mod policies;
mod reborrows;
mod send;
mod types;

fn is_send<T: Send>(future: T) -> T {
    future
}

/// Fails until `calls` is `calls_needed`.
fn call(calls: &mut u32, calls_needed: u32) -> Result<u32, String> {
    *calls += 1;
    if *calls < calls_needed { Err("too few".into()) } else { Ok(*calls) }
}
