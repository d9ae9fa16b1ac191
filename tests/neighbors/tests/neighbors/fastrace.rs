//! `#[fastrace::trace]`: works above and below.
#![allow(clippy::needless_pass_by_value, reason = "owned arguments, lent to each attempt")]

use std::cell::Cell;

use resilience::{retry, testing};

use crate::{count, run};

struct Client {
    sent: u32,
}

impl Client {
    #[fastrace::trace]
    #[retry(attempts = 4)]
    async fn above(&mut self, text: String) -> Result<usize, usize> {
        self.sent += 1;
        Err(text.len())
    }

    #[retry(attempts = 4)]
    #[fastrace::trace]
    async fn below(&mut self, text: String) -> Result<usize, usize> {
        self.sent += 1;
        Err(text.len())
    }

    #[fastrace::trace]
    #[retry(attempts = 4)]
    fn above_sync(&mut self, text: String) -> Result<usize, usize> {
        self.sent += 1;
        Err(text.len())
    }

    #[retry(attempts = 4)]
    #[fastrace::trace(name = "below", enter_on_poll = true)]
    async fn below_with_enter_on_poll(&mut self, text: String) -> Result<usize, usize> {
        self.sent += 1;
        Err(text.len())
    }
}

#[test]
fn attempts_borrow_the_arguments() {
    let _guard = testing::no_waits();
    let mut client = Client { sent: 0 };
    assert_eq!(run(client.above("abc".into())), Err(3));
    assert_eq!(run(client.below("abc".into())), Err(3));
    assert_eq!(client.above_sync("abc".into()), Err(3));
    assert_eq!(run(client.below_with_enter_on_poll("abc".into())), Err(3));
    assert_eq!(client.sent, 4 * 4);
}

/// `#[async_trait]` with `#[fastrace::trace]` in both places.
#[async_trait::async_trait(?Send)]
trait Fetch {
    async fn above(&self, text: String) -> Result<usize, usize>;
    async fn below(&self, text: String) -> Result<usize, usize>;
}

struct Counter(Cell<u32>);

#[async_trait::async_trait(?Send)]
impl Fetch for Counter {
    #[fastrace::trace]
    #[retry(attempts = 4)]
    async fn above(&self, text: String) -> Result<usize, usize> {
        count(&self.0);
        Err(text.len())
    }

    #[retry(attempts = 4)]
    #[fastrace::trace]
    async fn below(&self, text: String) -> Result<usize, usize> {
        count(&self.0);
        Err(text.len())
    }
}

#[test]
fn methods_under_async_trait_work_in_both_places() {
    let counter = Counter(Cell::new(0));
    assert_eq!(run(counter.above("abc".into())), Err(3));
    assert_eq!(run(counter.below("abc".into())), Err(3));
    assert_eq!(counter.0.get(), 2 * 4);
}
