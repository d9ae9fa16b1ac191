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

struct Pair {
    list: Vec<u32>,
    calls: u32,
}

/// Takes the value: a reference that the function hands on is moved.
fn moved<T>(value: T) -> T {
    value
}

#[retry]
fn in_an_exclusive_tuple((list, calls): &mut (Vec<u32>, u32)) -> Result<usize, String> {
    call(moved(calls), 3)?;
    Ok(moved(list).len())
}

#[retry]
fn in_an_exclusive_struct(Pair { list, calls }: &mut Pair) -> Result<usize, String> {
    call(moved(calls), 3)?;
    Ok(moved(list).len())
}

#[retry]
fn in_an_exclusive_list([calls, rest @ ..]: &mut [u32; 3]) -> Result<u32, String> {
    moved(rest).swap(0, 1);
    call(moved(calls), 3)
}

#[retry]
fn in_a_shared_tuple((list, _): &(Vec<u32>, u32), calls: &mut u32) -> Result<usize, String> {
    call(calls, 3)?;
    Ok(moved(list).len())
}

#[retry]
fn shared_in_between(
    ((list, _), _): &(&mut (Vec<u32>, u32), u32),
    calls: &mut u32,
) -> Result<usize, String> {
    call(calls, 3)?;
    Ok(moved(list).len())
}

#[retry]
#[allow(unused_parens, reason = "without parentheses `&mut` would be a pattern")]
fn changed_reference(&(mut text): &&str, calls: &mut u32) -> Result<usize, String> {
    text = &text[1..];
    call(calls, 3)?;
    Ok(text.len())
}

/// A name without a binding would be a mistake in `clone`.
mod cloned {
    use super::{Pair, call, retry};

    type List = Vec<u32>;
    type Lists = [List; 2];

    pub(super) struct One(pub(super) List);

    #[retry(clone(list))]
    pub(super) fn last_of_a_tuple(
        (.., list): (u32, &mut u32, List),
        calls: &mut u32,
    ) -> Result<usize, String> {
        call(calls, 3)?;
        Ok(list.len())
    }

    #[retry(clone(list))]
    pub(super) fn in_a_struct(
        Pair { mut list, .. }: Pair,
        calls: &mut u32,
    ) -> Result<usize, String> {
        list.push(7);
        call(calls, 3)?;
        Ok(list.len())
    }

    #[retry(clone(list))]
    pub(super) fn in_a_tuple_struct(One(mut list): One, calls: &mut u32) -> Result<usize, String> {
        list.push(7);
        call(calls, 3)?;
        Ok(list.len())
    }

    #[retry(clone(list))]
    pub(super) fn in_a_list([mut list, _]: Lists, calls: &mut u32) -> Result<usize, String> {
        list.push(7);
        call(calls, 3)?;
        Ok(list.len())
    }

    #[retry(clone(list))]
    pub(super) fn in_alternatives(
        (Ok(mut list) | Err(mut list)): Result<List, List>,
        calls: &mut u32,
    ) -> Result<usize, String> {
        list.push(7);
        call(calls, 3)?;
        Ok(list.len())
    }
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

#[test]
fn patterns_behind_references_have_their_bindings() {
    let _guard = testing::no_waits();
    assert_eq!(in_an_exclusive_tuple(&mut (vec![1], 0)), Ok(1));
    assert_eq!(in_an_exclusive_struct(&mut Pair { list: vec![1], calls: 0 }), Ok(1));
    assert_eq!(in_an_exclusive_list(&mut [0, 1, 2]), Ok(3));
    assert_eq!(in_a_shared_tuple(&(vec![1], 0), &mut 0), Ok(1));
    assert_eq!(shared_in_between(&(&mut (vec![1], 0), 0), &mut 0), Ok(1));
    assert_eq!(changed_reference(&"abc", &mut 0), Ok(2));
}

#[test]
fn parts_of_an_argument_are_cloned() {
    let _guard = testing::no_waits();
    assert_eq!(cloned::last_of_a_tuple((0, &mut 0, vec![1]), &mut 0), Ok(1));
    assert_eq!(cloned::in_a_struct(Pair { list: vec![], calls: 0 }, &mut 0), Ok(1));
    assert_eq!(cloned::in_a_tuple_struct(cloned::One(vec![]), &mut 0), Ok(1));
    assert_eq!(cloned::in_a_list([vec![], vec![]], &mut 0), Ok(1));
    assert_eq!(cloned::in_alternatives(Ok(vec![]), &mut 0), Ok(1));
}
