//! `#[maybe_async]`: works above and below.

use std::cell::Cell;

use maybe_async::maybe_async;
use resilience::{circuit_breaker, retry};

use crate::{count, run};

#[maybe_async]
#[retry(attempts = 3)]
async fn above(calls: &Cell<u32>, text: String) -> Result<usize, String> {
    if count(calls) < 3 { Err(text.clone()) } else { Ok(text.len()) }
}

#[retry(attempts = 3)]
#[maybe_async]
async fn below(calls: &Cell<u32>, text: String) -> Result<usize, String> {
    if count(calls) < 3 { Err(text.clone()) } else { Ok(text.len()) }
}

#[retry(attempts = 3)]
#[maybe_async]
#[circuit_breaker(error = |rejected| rejected.to_string())]
async fn between(calls: &Cell<u32>, text: String) -> Result<usize, String> {
    if count(calls) < 3 { Err(text.clone()) } else { Ok(text.len()) }
}

#[maybe_async::sync_impl]
#[retry(attempts = 3)]
async fn sync_only() -> Result<usize, String> {
    Ok(1)
}

#[test]
fn every_place_works() {
    let calls = Cell::new(0);
    assert_eq!((run(above(&calls, "abc".into())), calls.replace(0)), (Ok(3), 3));
    assert_eq!((run(below(&calls, "abc".into())), calls.replace(0)), (Ok(3), 3));
    assert_eq!((run(between(&calls, "abc".into())), calls.replace(0)), (Ok(3), 3));
}
