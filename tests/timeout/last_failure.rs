//! The last failure of a retry, as the source of the rejection by a time limit.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use resilience::{Rejected, fallback, retry, timeout};
use tokio::time::sleep;

use crate::{Cell, MS, pending};

/// A failure of the body, neither `Clone` nor `Send`.
enum Failure {
    Own(Rc<u32>),
    Rejected(Rejected),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(number) => write!(f, "failure {number}"),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// Returns the text of the source of a rejection.
fn source<T>(result: Result<T, Failure>) -> Option<String> {
    match result {
        Err(Failure::Rejected(rejected)) => rejected.source().map(ToString::to_string),
        Err(Failure::Own(number)) => panic!("failure {number}"),
        Ok(_) => panic!("a success"),
    }
}

fn count(calls: &Cell<u32>) -> u32 {
    calls.set(calls.get() + 1);
    calls.get()
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_a_retry_names_the_last_failure() {
    #[timeout("1s")]
    #[retry(attempts = "unlimited", backoff = "fixed", base_delay = "400ms")]
    async fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        Err(Failure::Own(Rc::new(count(calls))))
    }
    let calls = Cell::new(0);
    assert_eq!(source(call(&calls).await).as_deref(), Some("failure 3"));
    assert_eq!(calls.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_during_the_first_attempt_has_no_source() {
    #[timeout("1s")]
    #[retry]
    async fn call() -> Result<(), Failure> {
        pending().await
    }
    assert_eq!(source(call().await), None);
}

#[tokio::test(start_paused = true)]
async fn hooks_and_layers_between_keep_the_last_failure() {
    #[timeout("1s")]
    #[fallback(value = (), on = |_| false)]
    #[retry(
        attempts = "unlimited",
        backoff = "fixed",
        base_delay = "400ms",
        on_retry = |_| hooks.set(hooks.get() + 1),
    )]
    async fn call(calls: &Cell<u32>, hooks: &Cell<u32>) -> Result<(), Failure> {
        Err(Failure::Own(Rc::new(count(calls))))
    }
    let hooks = Cell::new(0);
    assert_eq!(source(call(&Cell::new(0), &hooks).await).as_deref(), Some("failure 3"));
    assert_eq!(hooks.get(), 3);
}

/// A value that `on_ok` declines is no failure.
#[tokio::test(start_paused = true)]
async fn a_declined_value_leaves_the_failure_before() {
    #[timeout("1s")]
    #[retry(attempts = "unlimited", backoff = "fixed", base_delay = "400ms", on_ok = |()| true)]
    async fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        if count(calls) == 1 { Err(Failure::Own(Rc::new(1))) } else { Ok(()) }
    }
    assert_eq!(source(call(&Cell::new(0)).await).as_deref(), Some("failure 1"));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_ends_an_attempt_names_the_failure_before() {
    #[retry(attempts = "unlimited", deadline = "1s", backoff = "fixed", base_delay = "100ms")]
    #[timeout("30s")]
    async fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        if count(calls) == 1 {
            sleep(MS(300)).await;
            return Err(Failure::Own(Rc::new(1)));
        }
        pending().await
    }
    assert_eq!(source(call(&Cell::new(0)).await).as_deref(), Some("failure 1"));
}

/// The own limit of the attempt has ended, so the failure before is no cause.
#[tokio::test(start_paused = true)]
async fn a_timeout_of_an_attempt_does_not_name_the_failure_before() {
    #[retry(attempts = 2, deadline = "1m", base_delay = "100ms")]
    #[timeout("1s")]
    async fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        if count(calls) == 1 {
            return Err(Failure::Own(Rc::new(1)));
        }
        pending().await
    }
    assert_eq!(source(call(&Cell::new(0)).await), None);
}

#[tokio::test(start_paused = true)]
async fn timeouts_above_and_below_share_the_failure() {
    #[timeout("10s", name = "whole")]
    #[retry(attempts = "unlimited", deadline = "1m", backoff = "fixed", base_delay = "1s")]
    #[timeout("3s", name = "attempt")]
    async fn call() -> Result<(), Failure> {
        pending().await
    }
    assert_eq!(source(call().await).as_deref(), Some("attempt: timed out after 3s"));
}

/// An error without `Display` and `Debug` has no text.
#[tokio::test(start_paused = true)]
async fn a_failure_without_text_is_no_source() {
    struct Mute(Option<Rejected>);
    impl From<Rejected> for Mute {
        fn from(rejected: Rejected) -> Self {
            Self(Some(rejected))
        }
    }
    #[timeout("1s")]
    #[retry(attempts = "unlimited")]
    async fn call() -> Result<(), Mute> {
        Err(Mute(None))
    }
    let Err(Mute(Some(rejected))) = call().await else { panic!("no rejection") };
    assert!(rejected.source().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_future_stays_send() {
    #[timeout("1s")]
    #[retry(attempts = "unlimited")]
    async fn call() -> Result<(), Failure> {
        Err(Failure::Own(Rc::new(1)))
    }
    fn sends<T: Send>(future: T) -> T {
        future
    }
    assert_eq!(source(sends(call()).await).as_deref(), Some("failure 1"));
}
