// The compiler points at the attribute that needs an argument again, below other attributes too.

use resilience::{fallback, hedge, retry, timeout};

fn send(to: String) -> Result<u32, std::io::Error> {
    Ok(u32::from(to.is_empty()))
}

async fn send_later(to: String) -> Result<u32, std::io::Error> {
    send(to)
}

#[fallback(value = 0)]
#[retry(attempts = 3)]
fn sync(to: String) -> Result<u32, std::io::Error> {
//~ rustc: error[E0382] at `> {…`: use of moved value: `to`
//~ rustc: label: inside of this loop
//~ rustc: label: value moved into closure here, in previous iteration of loop
//~ rustc: label: use occurs due to use in closure
//~ rustc: label: move occurs because `to` has type `String`, which does not implement the `Copy` trait
//~ rustc: note: consider changing this parameter type in function `send` to borrow instead if owning the value isn't necessary
//~ rustc: help: consider moving the expression out of the loop so it is only moved once
//~ rustc: help: consider cloning the value if the performance cost is acceptable
    send(to)
}

#[fallback(value = 0)]
#[retry(attempts = 3)]
#[timeout("1s")]
async fn later(to: String) -> Result<u32, std::io::Error> {
//~ rustc: error[E0382] at `{…`: use of moved value: `to`
//~ rustc: label: inside of this loop
//~ rustc: label: value moved here, in previous iteration of loop
//~ rustc: label: use occurs due to use in coroutine
//~ rustc: label: move occurs because `to` has type `String`, which does not implement the `Copy` trait
//~ rustc: note: consider changing this parameter type in function `send_later` to borrow instead if owning the value isn't necessary
//~ rustc: help: consider cloning the value if the performance cost is acceptable
    send_later(to).await
}

#[fallback(value = 0)]
#[hedge(after = "1s", idempotent)]
//~ rustc: error[E0507] at `hedge`: cannot move out of value, a captured variable in an `Fn` closure
//~ rustc: label: captured outer variable
//~ rustc: label: captured by this `Fn` closure
//~ rustc: label: variable moved due to use in coroutine
//~ rustc: label: move occurs because value has type `String`, which does not implement the `Copy` trait
//~ rustc: label: value is moved here
//~ rustc: help: `Fn` and `FnMut` closures require captured values to be able to be consumed multiple times, but `FnOnce` closures may consume them only once
//~ rustc: help: consider cloning the value if the performance cost is acceptable
async fn hedged(to: String) -> Result<u32, std::io::Error> {
    send_later(to).await
}

// The rest of a list is a list, and no `&mut` like its elements.
#[retry]
fn rest_of_a_list([first, rest @ ..]: [&mut u32; 3]) -> Option<u32> {
//~ rustc: error[E0382] at `> {`: use of moved value: `rest`
//~ rustc: label: inside of this loop
//~ rustc: label: value moved into closure here, in previous iteration of loop
//~ rustc: label: use occurs due to use in closure
//~ rustc: label: move occurs because `rest` has type `[&mut u32; 2]`, which does not implement the `Copy` trait
//~ rustc: help: consider moving the expression out of the loop so it is only moved once
    drop(rest);
    Some(*first)
}
