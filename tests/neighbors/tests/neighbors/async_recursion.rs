//! `#[async_recursion]`: works below. Above, the function is no `async fn` any more.

use std::cell::Cell;

use async_recursion::async_recursion;
use resilience::{retry, timeout};

use crate::{count, run};

#[retry(attempts = 3)]
#[async_recursion(?Send)]
async fn below(calls: &Cell<u32>, depth: u32) -> Result<u32, u32> {
    if depth > 0 {
        return below(calls, depth - 1).await.map(|reached| reached + 1);
    }
    if count(calls) < 3 { Err(0) } else { Ok(0) }
}

#[retry(attempts = 3, on = |_| false)]
#[timeout("5s", error = |_| 9)]
#[async_recursion]
async fn below_two_layers(depth: u32) -> Result<u32, u32> {
    if depth > 0 { Ok(below_two_layers(depth - 1).await? + 1) } else { Ok(0) }
}

#[test]
fn each_level_of_the_recursion_is_retried() {
    let calls = Cell::new(0);
    assert_eq!((run(below(&calls, 2)), calls.get()), (Ok(2), 3));
    assert_eq!(run(below_two_layers(3)), Ok(3));
}
