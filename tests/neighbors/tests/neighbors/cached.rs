//! `#[cached]`: works below. Above, the macro moves the arguments into a function of its own.

use std::cell::Cell;

use cached::proc_macro::cached;
use resilience::{retry, testing};

use crate::{count, run};

thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });

#[retry(attempts = 4)]
#[cached(result = true)]
fn below(id: u32, text: String) -> Result<usize, String> {
    if CALLS.with(count) < 3 { Err(text.clone()) } else { Ok(text.len() + id as usize) }
}

#[retry(attempts = 4)]
#[cached(result = true)]
async fn below_async(id: u32, text: String) -> Result<usize, String> {
    if CALLS.with(count) < 3 { Err(text.clone()) } else { Ok(text.len() + id as usize) }
}

/// Above works for arguments that are `Copy`.
#[cached(result = true)]
#[retry(attempts = 4)]
fn above(id: u32) -> Result<u32, String> {
    if CALLS.with(count) < 3 { Err("down".into()) } else { Ok(id) }
}

#[test]
fn the_cache_holds_the_outcome_of_the_last_attempt() {
    let _guard = testing::no_waits();
    CALLS.set(0);
    assert_eq!((below(7, "abc".into()), CALLS.get()), (Ok(10), 3));
    assert_eq!((below(7, "abc".into()), CALLS.get()), (Ok(10), 3));
    CALLS.set(0);
    assert_eq!((run(below_async(7, "abc".into())), CALLS.get()), (Ok(10), 3));
    assert_eq!((run(below_async(7, "abc".into())), CALLS.get()), (Ok(10), 3));
    CALLS.set(0);
    assert_eq!((above(7), CALLS.get()), (Ok(7), 3));
    assert_eq!((above(7), CALLS.get()), (Ok(7), 3));
}
