//! `carry`: owned arguments that keep the changes of an attempt for the next attempt.

use std::cell::Cell;
use std::sync::Arc;

use resilience::{circuit_breaker, retry, testing, timeout};

use crate::count;

#[derive(Debug, PartialEq)]
enum OrderError {
    BadNonce(u32),
    Lost,
}

impl From<resilience::Rejected> for OrderError {
    fn from(_: resilience::Rejected) -> Self {
        Self::Lost
    }
}

/// The server knows the next nonce; a wrong nonce is answered by the right one.
fn post(nonce: Option<u32>) -> Result<u32, OrderError> {
    if nonce == Some(7) { Ok(7) } else { Err(OrderError::BadNonce(7)) }
}

#[test]
fn a_change_of_an_attempt_reaches_the_next_attempt() {
    #[retry(attempts = 3, carry(nonce))]
    fn order(calls: &Cell<u32>, mut nonce: Option<u32>) -> Result<u32, OrderError> {
        count(calls);
        post(nonce).inspect_err(|error| {
            if let OrderError::BadNonce(fresh) = error {
                nonce = Some(*fresh);
            }
        })
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!((order(&calls, None), calls.replace(0)), (Ok(7), 2));
    assert_eq!((order(&calls, Some(7)), calls.replace(0)), (Ok(7), 1));
}

#[tokio::test(start_paused = true)]
async fn async_functions_methods_and_layers_inside_carry_arguments() {
    struct Client;
    impl Client {
        #[retry(attempts = 3, carry(log, nonce), clone(name))]
        #[circuit_breaker(failure_threshold = 9)]
        #[timeout("5s")]
        async fn order(
            &self,
            mut log: Vec<String>,
            mut nonce: Option<u32>,
            mut name: String,
        ) -> Result<Vec<String>, OrderError> {
            name.push('!');
            log.push(name);
            tokio::task::yield_now().await;
            match post(nonce) {
                Ok(_) => Ok(log.clone()),
                Err(error) => {
                    nonce = Some(7);
                    Err(error)
                }
            }
        }
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let log = is_send(Client.order(vec![], None, "a".into())).await;
    assert_eq!(log, Ok(vec!["a!".to_owned(), "a!".to_owned()]));
}

#[test]
fn a_mutable_borrow_and_a_field_of_self_carry_state_as_well() {
    struct Client {
        nonce: Option<u32>,
        tries: Arc<Cell<u32>>,
    }
    impl Client {
        #[retry(attempts = 3, on = |_| self.tries.get() < 2)]
        fn order(&mut self) -> Result<u32, OrderError> {
            self.tries.set(self.tries.get() + 1);
            let answer = post(self.nonce);
            if let Err(OrderError::BadNonce(fresh)) = answer {
                self.nonce = Some(fresh);
            }
            answer
        }
    }
    let _guard = testing::no_waits();
    let mut client = Client { nonce: None, tries: Arc::default() };
    assert_eq!((client.order(), client.tries.get()), (Ok(7), 2));
}
