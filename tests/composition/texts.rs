//! A `Display` of the user that panics changes no outcome.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use resilience::{CircuitBreaker, Rejected, circuit_breaker, fallback, rate_limit, retry, timeout};
use tokio::time::sleep;

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Down,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down: ")?;
        panic!("no text")
    }
}

fn source(failure: &Failure) -> Option<String> {
    let Failure::Rejected(rejected) = failure else { return None };
    rejected.source().map(ToString::to_string)
}

#[tokio::test(start_paused = true)]
async fn a_failure_without_a_text_is_returned_and_named() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(2);
    #[timeout("5s")]
    #[retry(attempts = 2, on = |_| true)]
    #[circuit_breaker(breaker = BREAKER, on = |_| true)]
    async fn call() -> Result<u32, Failure> {
        Err(Failure::Down)
    }
    #[timeout("5s")]
    #[retry(attempts = 3, jitter = "none", on = |_| true)]
    async fn slow(calls: &mut u32) -> Result<u32, Failure> {
        *calls += 1;
        if *calls > 1 {
            sleep(Duration::from_secs(60)).await;
        }
        Err(Failure::Down)
    }
    #[fallback(value = 7, on = |_| true)]
    async fn replaced() -> Result<u32, Failure> {
        Err(Failure::Down)
    }
    resilience::on_event(|_| ());
    assert_eq!(call().await, Err(Failure::Down));
    let rejected = call().await.unwrap_err();
    assert_eq!(source(&rejected).as_deref(), Some("down: (the text panicked)"));
    let timed_out = slow(&mut 0).await.unwrap_err();
    assert_eq!(source(&timed_out).as_deref(), Some("down: (the text panicked)"));
    assert_eq!(replaced().await, Ok(7));
}

#[test]
fn a_label_that_panics_is_cut() {
    struct Label;
    impl fmt::Display for Label {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("eu")?;
            panic!("no label")
        }
    }
    #[rate_limit(rate = 1, per = "1h", key = id, key_label = Label)]
    fn call(id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }
    assert_eq!(call(7), Ok(7));
    assert_eq!(call(7).unwrap_err().key(), Some("eu(the text panicked)"));
}
