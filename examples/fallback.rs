//! `#[fallback]` with a value, a function, and an async function.
//!
//! `cargo run --example fallback`
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use resilience::fallback;

/// A fixed value.
#[fallback(value = Vec::new())]
fn recommendations(shop: &Shop) -> Result<Vec<&'static str>, ShopError> {
    shop.answer(vec!["a lamp", "a chair"])
}

/// A function of the error and the arguments, for some errors only.
#[fallback(with = |_| last_price(item), on = |error| *error == ShopError::Down)]
fn price(shop: &Shop, item: u32) -> Result<u32, ShopError> {
    if item > 100 { Err(ShopError::NoSuchItem) } else { shop.answer(item * 10) }
}

fn last_price(item: u32) -> u32 {
    item * 9
}

/// An async function that asks a replica and may fail too.
#[fallback(with = from_replica)]
async fn stock(shop: &Shop) -> Result<u32, ShopError> {
    shop.answer(7)
}

async fn from_replica(error: ShopError) -> Result<u32, ShopError> {
    tokio::task::yield_now().await;
    if error == ShopError::Down { Ok(6) } else { Err(error) }
}

#[derive(Debug, PartialEq)]
enum ShopError {
    Down,
    NoSuchItem,
}

struct Shop {
    is_down: bool,
}

impl Shop {
    fn answer<T>(&self, answer: T) -> Result<T, ShopError> {
        if self.is_down { Err(ShopError::Down) } else { Ok(answer) }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for is_down in [false, true] {
        let shop = Shop { is_down };
        println!("The shop is {}:", if is_down { "down" } else { "up" });
        println!("  recommendations: {:?}", recommendations(&shop));
        println!("  price of 7:      {:?}", price(&shop, 7));
        println!("  price of 700:    {:?}", price(&shop, 700));
        println!("  stock:           {:?}", stock(&shop).await);
    }
}
