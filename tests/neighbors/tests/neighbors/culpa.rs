//! `#[culpa::throws]`: works above. Below, the return type is not fallible yet.

use std::cell::Cell;

use culpa::{throw, throws};
use resilience::{retry, testing};

use crate::{count, run};

#[throws(String)]
#[retry(attempts = 3)]
fn above(calls: &Cell<u32>) -> u32 {
    if count(calls) < 3 {
        throw!("down".to_owned());
    }
    7
}

#[throws(String)]
#[retry(attempts = 3)]
async fn above_async(calls: &Cell<u32>) -> u32 {
    if count(calls) < 3 {
        throw!("down".to_owned());
    }
    7
}

#[test]
fn a_thrown_error_is_retried() {
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!((above(&calls), calls.replace(0)), (Ok(7), 3));
    assert_eq!((run(above_async(&calls)), calls.get()), (Ok(7), 3));
}
