//! `#[mockall::automock]`: on a trait whose default methods have no attribute. A default method gets
//! the attribute by `cfg_attr`, or on the methods of the `impl` block.

use std::cell::Cell;

use mockall::automock;
use resilience::{retry, testing};

#[automock]
trait Api {
    fn load(&self, id: u32) -> Result<u32, String>;

    fn load_all(&self) -> Result<u32, String> {
        self.load(1)
    }
}

struct Client(Cell<u32>);

impl Api for Client {
    #[retry(attempts = 3)]
    fn load(&self, id: u32) -> Result<u32, String> {
        if crate::count(&self.0) < 3 { Err("down".into()) } else { Ok(id) }
    }
}

/// A caller with an attribute, over a mock.
#[retry(attempts = 3)]
fn load(api: &impl Api) -> Result<u32, String> {
    api.load(7)
}

#[test]
fn the_methods_of_the_impl_block_are_retried() {
    let _guard = testing::no_waits();
    assert_eq!(Client(Cell::new(0)).load(7), Ok(7));
    assert_eq!(Client(Cell::new(0)).load_all(), Ok(1));
}

#[test]
fn a_mock_counts_the_attempts_of_the_caller() {
    let _guard = testing::no_waits();
    let mut api = MockApi::new();
    api.expect_load().times(3).returning(|_| Err("down".into()));
    assert_eq!(load(&api), Err("down".into()));
}

/// The mock replaces the method in tests, so the attribute is needed only outside tests.
#[automock]
trait Load {
    #[cfg_attr(not(test), retry)]
    fn load(&self) -> Result<u32, String> {
        Err("down".into())
    }
}

#[test]
fn a_default_method_has_the_attribute_outside_tests() {
    let mut api = MockLoad::new();
    api.expect_load().returning(|| Ok(7));
    assert_eq!(api.load(), Ok(7));
}
