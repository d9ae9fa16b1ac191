//! `#[trait_variant::make]`: on the trait; attributes on the methods of the `impl` block.

use std::cell::Cell;

use resilience::retry;

use crate::{count, run};

#[trait_variant::make(SendApi: Send)]
trait Api {
    async fn load(&self, id: u32) -> Result<u32, String>;
}

struct Client(Cell<u32>);

impl Api for Client {
    #[retry(attempts = 3)]
    async fn load(&self, id: u32) -> Result<u32, String> {
        if count(&self.0) < 3 { Err("down".into()) } else { Ok(id) }
    }
}

struct Sendable;

impl SendApi for Sendable {
    #[retry(attempts = 3)]
    async fn load(&self, id: u32) -> Result<u32, String> {
        tokio::task::yield_now().await;
        Ok(id)
    }
}

fn sends<T: Send>(future: T) -> T {
    future
}

#[test]
fn methods_of_both_variants_are_retried() {
    assert_eq!(run(Client(Cell::new(0)).load(7)), Ok(7));
    assert_eq!(run(sends(SendApi::load(&Sendable, 7))), Ok(7));
}
