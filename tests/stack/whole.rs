//! The whole stack.

use std::cell::Cell;
use std::time::Duration;

use resilience::{bulkhead, circuit_breaker, fallback, rate_limit, retry, testing, timeout};
use tokio::time::{Instant, sleep};

use crate::Failure;

/// What the other side does, one answer for each call; the last repeats.
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
async fn each_layer_does_its_own() {
    let _state = testing::fresh_state();
    let start = Instant::now();
    let millis = || u64::try_from(start.elapsed().as_millis()).unwrap();
    // It works.
    let fine = server(&[(10, Ok(1))]);
    assert_eq!(call(5, &fine).await, Ok(6));
    assert_eq!(millis(), 10);
    // It fails, then hangs, then works again: two attempts too many, and nobody notices.
    let flaky = server(&[(10, Err(Failure::Down)), (60_000, Ok(2)), (10, Ok(3))]);
    assert_eq!(call(5, &flaky).await, Ok(8));
    assert_eq!(millis(), 10 + 10 + 100 + 1000 + 100 + 10);
    // It is down: three failures open the circuit, the fourth attempt is turned away, and something
    // stands in.
    let dead = server(&[(10, Err(Failure::Down))]);
    assert_eq!(call(5, &dead).await, Ok(5));
    assert_eq!(dead.calls.get(), 3);
    // From then on nobody waits for it.
    let before = millis();
    assert_eq!(call(6, &dead).await, Ok(6));
    assert_eq!((dead.calls.get(), millis()), (3, before));
    // It comes back, and a probe finds out.
    sleep(Duration::from_secs(10)).await;
    let back = server(&[(10, Ok(4))]);
    assert_eq!(call(1, &back).await, Ok(5));
    assert_eq!(call(1, &back).await, Ok(5));
    assert_eq!(back.calls.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_neither_counts_nor_is_retried() {
    let _state = testing::fresh_state();
    let slow = server(&[(500, Ok(1))]);
    let results = tokio::join!(call(1, &slow), call(2, &slow), call(3, &slow));
    assert_eq!(results, (Ok(2), Ok(3), Ok(3)), "the third had to do without");
    assert_eq!(slow.calls.get(), 2);
    assert_eq!(call(4, &slow).await, Ok(5), "and the circuit is closed");
}

/// One future, which may be spawned.
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
