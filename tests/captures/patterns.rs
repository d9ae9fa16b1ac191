//! Arguments that are patterns.
#![allow(non_snake_case, reason = "a name with a capital is a binding")]
#![allow(
    clippy::trivially_copy_pass_by_ref,
    clippy::toplevel_ref_arg,
    reason = "every form of pattern"
)]

use resilience::{fallback, retry, testing};

use super::call;

#[retry]
fn behind_a_reference(&mut x: &mut u32, &y: &u32) -> Result<u32, String> {
    Ok(x + y)
}

#[retry]
fn borrowed_behind_a_reference(&mut ref mut z: &mut u32) -> Result<u32, String> {
    call(z, 3)
}

#[retry]
fn shared_by_ref(ref list: Vec<u32>, calls: &mut u32) -> Result<usize, String> {
    call(calls, 2)?;
    Ok(list.len())
}

#[retry(clone(N))]
fn capital(mut N: Vec<u32>) -> Result<usize, usize> {
    N.push(1);
    Err(N.len())
}

#[retry]
fn whole_and_part(whole @ [first, ..]: [u32; 2], calls: &mut u32) -> Result<u32, String> {
    call(calls, 2)?;
    Ok(whole[1] + first)
}

#[fallback(value = A)]
fn named_in_a_key(A: u32) -> Result<u32, String> {
    Err(A.to_string())
}

#[test]
fn every_pattern_has_its_bindings() {
    let _guard = testing::no_waits();
    assert_eq!(behind_a_reference(&mut 1, &2), Ok(3));
    assert_eq!(borrowed_behind_a_reference(&mut 0), Ok(3));
    assert_eq!(shared_by_ref(vec![1], &mut 0), Ok(1));
    assert_eq!(capital(vec![]), Err(1));
    assert_eq!(whole_and_part([1, 2], &mut 0), Ok(3));
    assert_eq!(named_in_a_key(5), Ok(5));
}
