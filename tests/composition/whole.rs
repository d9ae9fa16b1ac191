//! A function with all layers.

use std::cell::Cell;
use std::time::Duration;

use resilience::{bulkhead, circuit_breaker, fallback, rate_limit, retry, testing, timeout};
use tokio::time::{Instant, sleep};

use crate::Failure;

/// A server with an answer for each call. The last answer repeats.
struct Server {
    answers: Vec<(u64, Result<u32, Failure>)>,
    calls: Cell<usize>,
}

impl Server {
    async fn answer(&self) -> Result<u32, Failure> {
        let call = self.calls.replace(self.calls.get() + 1);
        let (millis, answer) = self.answers[call.min(self.answers.len() - 1)].clone();
        sleep(Duration::from_millis(millis)).await;
        answer
    }
}

#[fallback(with = |failure| { assert_ne!(failure, Failure::Wrong); id })]
#[retry(attempts = 4, backoff = "fixed", base_delay = "100ms", on = |f| *f == Failure::Down)]
#[circuit_breaker(failure_threshold = 3, reset_timeout = "10s", on = |f| *f == Failure::Down)]
#[rate_limit(rate = 1000, burst = 100)]
#[bulkhead(max = 2)]
#[timeout("1s")]
async fn call(id: u32, server: &Server) -> Result<u32, Failure> {
    let answer = server.answer().await?;
    Ok(answer + id)
}

fn server(answers: &[(u64, Result<u32, Failure>)]) -> Server {
    Server { answers: answers.to_vec(), calls: Cell::new(0) }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_and_recovers() {
    let _state = testing::fresh_state();
    let start = Instant::now();
    let millis = || u64::try_from(start.elapsed().as_millis()).unwrap();
    // The server works.
    let fine = server(&[(10, Ok(1))]);
    assert_eq!(call(5, &fine).await, Ok(6));
    assert_eq!(millis(), 10);
    // The server fails, then hangs, then works: the retry hides two bad attempts.
    let flaky = server(&[(10, Err(Failure::Down)), (60_000, Ok(2)), (10, Ok(3))]);
    assert_eq!(call(5, &flaky).await, Ok(8));
    assert_eq!(millis(), 10 + 10 + 100 + 1000 + 100 + 10);
    // The server is down: three failures open the circuit, the fourth attempt is rejected, and the
    // fallback answers.
    let dead = server(&[(10, Err(Failure::Down))]);
    assert_eq!(call(5, &dead).await, Ok(5));
    assert_eq!(dead.calls.get(), 3);
    // The next call is rejected without a delay.
    let before = millis();
    assert_eq!(call(6, &dead).await, Ok(6));
    assert_eq!((dead.calls.get(), millis()), (3, before));
    // The server works again: a trial call closes the circuit.
    sleep(Duration::from_secs(10)).await;
    let back = server(&[(10, Ok(4))]);
    assert_eq!(call(1, &back).await, Ok(5));
    assert_eq!(call(1, &back).await, Ok(5));
    assert_eq!(back.calls.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_by_a_full_bulkhead_is_not_counted_or_retried() {
    let _state = testing::fresh_state();
    let slow = server(&[(500, Ok(1))]);
    let results = tokio::join!(call(1, &slow), call(2, &slow), call(3, &slow));
    assert_eq!(results, (Ok(2), Ok(3), Ok(3)), "the fallback answers the third call");
    assert_eq!(slow.calls.get(), 2);
    assert_eq!(call(4, &slow).await, Ok(5), "the circuit is still closed");
}

/// The layers add little to the size of the future, and nothing that is not `Send`.
#[tokio::test(start_paused = true)]
async fn the_future_is_send_and_small() {
    #[fallback(value = 0)]
    #[retry(attempts = 2)]
    #[circuit_breaker]
    #[bulkhead(max = 10, queue = 5)]
    #[timeout("1s")]
    async fn spawned(text: String) -> Result<usize, Failure> {
        sleep(Duration::from_millis(1)).await;
        Ok(text.len())
    }
    let future = spawned("abc".into());
    let size = size_of_val(&future);
    assert!(size <= 1000, "{size} bytes");
    assert_eq!(tokio::spawn(future).await.unwrap(), Ok(3));
}
