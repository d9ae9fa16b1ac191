// `carry`: arguments that keep the changes of an attempt.

use resilience::retry;

#[retry(carry)]
//~ error at `carry`: `carry` needs the arguments whose changes the attempts share: `carry(nonce)`
fn no_names(mut nonce: u32) -> Option<u32> {
//~ error at `nonce`: `nonce` is passed by value and `mut`, so a change in one attempt would reach the next; write `#[retry(clone(nonce))]` for a fresh value in each attempt, `#[retry(carry(nonce))]` to keep the changes, or remove `mut`
    nonce += 1;
    Some(nonce)
}

#[retry(carry = nonce)]
//~ error at `nonce`: `carry` takes names in parentheses: write `carry(nonce)`
fn not_in_parentheses(mut nonce: u32) -> Option<u32> {
//~ error at `nonce`: `nonce` is passed by value and `mut`, so a change in one attempt would reach the next; write `#[retry(clone(nonce))]` for a fresh value in each attempt, `#[retry(carry(nonce))]` to keep the changes, or remove `mut`
    nonce += 1;
    Some(nonce)
}

#[retry(carry(nonse))]
//~ error at `nonse`: this function has no argument `nonse`; did you mean `nonce`?
fn unknown(nonce: u32) -> Option<u32> {
    Some(nonce)
}

#[retry(carry(nonce))]
//~ error at `nonce`: no attempt can change `nonce`; write `mut nonce` in the signature, or remove it from `carry`
fn not_mut(nonce: u32) -> Option<u32> {
    Some(nonce)
}

#[retry(carry(nonce))]
//~ error at `nonce`: `nonce` is a reference, and every attempt can use it; remove it from `carry`
fn a_reference(nonce: &mut u32) -> Option<u32> {
    Some(*nonce)
}

#[retry(carry(nonce), clone(nonce))]
//~ error at `nonce`: `carry(nonce)` and `clone(nonce)` exclude each other: an attempt starts with the value of the attempt before, or with a clone; remove one of them
fn cloned(mut nonce: u32) -> Option<u32> {
    nonce += 1;
    Some(nonce)
}

fn main() {}
