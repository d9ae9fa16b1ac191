//! A limiter that rejects no call asks for no conversion of a rejection.

use std::num::ParseIntError;
use std::time::Duration;

use resilience::{RateLimiter, Rejected, RejectedKind, rate_limit, retry, testing, timeout};
use tokio::time::Instant;

use crate::SECOND;

/// The error of another crate: no conversion from a rejection.
type Library = ParseIntError;

#[tokio::test(start_paused = true)]
async fn every_call_waits_for_its_turn() {
    #[rate_limit(rate = 1, per = "1d", wait = "unlimited")]
    async fn call(text: &str) -> Result<u32, Library> {
        text.parse()
    }
    let start = Instant::now();
    for _ in 0..400 {
        assert_eq!(call("7").await, Ok(7));
    }
    assert_eq!(start.elapsed(), 399 * 86_400 * SECOND);
}

/// A method under `#[async_trait]` may return nothing, as a plain function may.
#[tokio::test(start_paused = true)]
async fn a_boxed_method_without_a_result_waits() {
    #[async_trait::async_trait]
    trait Append {
        async fn append(&mut self, text: String);
        async fn length(&self) -> usize;
    }

    #[async_trait::async_trait]
    impl Append for String {
        #[rate_limit(rate = 1, wait = "unlimited")]
        async fn append(&mut self, mut text: String) {
            text.push('!');
            self.push_str(&text);
        }

        #[rate_limit(rate = 1, wait = "unlimited")]
        async fn length(&self) -> usize {
            self.len()
        }
    }
    let (start, mut text) = (Instant::now(), String::new());
    text.append("a".to_owned()).await;
    text.append("b".to_owned()).await;
    assert_eq!((text.as_str(), text.length().await), ("a!b!", 4));
    assert_eq!(start.elapsed(), SECOND);
}

#[test]
fn a_sync_function_with_a_cost_a_key_and_settle_waits() {
    #[rate_limit(
        rate = 10, burst = 10, wait = "unlimited", key = user, cost = cost,
        settle = |_: &Result<u32, Library>| 5
    )]
    fn call(user: u32, cost: u32) -> Result<u32, Library> {
        user.to_string().parse()
    }
    let clock = testing::clock();
    assert_eq!(call(1, 10), Ok(1)); // five permits return
    assert_eq!(call(2, 10), Ok(2));
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert_eq!(call(1, 25), Ok(1));
    assert_eq!(clock.elapsed(), 2 * SECOND);
}

#[test]
fn shadow_mode_rejects_nothing_either() {
    #[rate_limit(rate = 1, per = "1h", shadow)]
    fn call(text: &str) -> Result<u32, Library> {
        text.parse()
    }
    assert!((0..5).all(|_| call("7") == Ok(7)));
}

#[test]
fn retries_without_a_deadline_need_no_conversion() {
    #[retry(attempts = 3)]
    #[rate_limit(rate = 1, wait = "unlimited")]
    fn call(texts: &mut Vec<&str>) -> Result<u32, Library> {
        texts.remove(0).parse()
    }
    let clock = testing::clock();
    assert_eq!(call(&mut vec!["a", "b", "7"]), Ok(7));
    assert!(clock.elapsed() >= 2 * SECOND);
}

#[test]
fn a_deadline_above_ends_an_unlimited_wait() {
    #[retry(attempts = 3, deadline = "10s")]
    #[rate_limit(rate = 1, per = "1h", wait = "unlimited")]
    fn call() -> Result<u32, Rejected> {
        Ok(7)
    }
    let clock = testing::clock();
    assert_eq!(call(), Ok(7));
    assert_eq!(call().map_err(|rejected| rejected.kind()), Err(RejectedKind::RateLimited));
    assert_eq!(clock.elapsed(), Duration::ZERO, "no wait that is useless");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_ends_an_unlimited_wait() {
    #[timeout("10s")]
    #[rate_limit(rate = 1, per = "1h", wait = "unlimited")]
    async fn call() -> Result<u32, Rejected> {
        Ok(7)
    }
    let start = Instant::now();
    assert_eq!(call().await, Ok(7));
    assert_eq!(call().await.map_err(|rejected| rejected.kind()), Err(RejectedKind::TimedOut));
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[test]
fn the_longest_duration_is_a_wait_without_a_limit() {
    let century = Duration::from_secs(100 * 365 * 86_400);
    let limiter = RateLimiter::new(1, century).wait(Duration::MAX);
    let clock = testing::clock();
    // A wait with a limit ends after 146 years.
    assert!(limiter.acquire_many_blocking(3).is_ok());
    assert_eq!(clock.elapsed(), 2 * century);
}

struct Client {
    limiter: RateLimiter,
}

impl Client {
    #[rate_limit(limiter = self.limiter, wait = "unlimited")]
    async fn get(&self, text: &str) -> Result<u32, Library> {
        text.parse()
    }

    #[rate_limit(limiter = self.limiter, wait = "unlimited", cost = 3)]
    fn get_many(&self, text: &str) -> Result<u32, Library> {
        text.parse()
    }

    #[rate_limit(limiter = self.limiter)]
    fn get_now(&self) -> Result<u32, Rejected> {
        Ok(7)
    }

    #[retry(deadline = "10s")]
    #[rate_limit(limiter = self.limiter, wait = "unlimited")]
    fn get_in_time(&self) -> Result<u32, Rejected> {
        Ok(7)
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_waits_without_a_limit_for_a_limiter_made_by_hand() {
    let client = Client { limiter: RateLimiter::new(1, 3600 * SECOND) };
    let start = Instant::now();
    for _ in 0..4 {
        assert_eq!(client.get("7").await, Ok(7));
    }
    assert_eq!(start.elapsed(), 3 * 3600 * SECOND);
    assert!(client.get_now().is_err(), "another function of the limiter does not wait");
}

#[test]
fn a_sync_function_with_a_cost_waits_for_a_limiter_made_by_hand() {
    let century = Duration::from_secs(100 * 365 * 86_400);
    let client = Client { limiter: RateLimiter::new(1, century).wait(SECOND) };
    let clock = testing::clock();
    assert_eq!(client.get_many("7"), Ok(7));
    assert_eq!(clock.elapsed(), 2 * century);
}

#[test]
fn a_deadline_above_ends_the_wait_for_a_limiter_made_by_hand() {
    let client = Client { limiter: RateLimiter::new(1, 3600 * SECOND) };
    let clock = testing::clock();
    assert_eq!(client.get_in_time(), Ok(7));
    let rejected = client.get_in_time().map_err(|rejected| rejected.kind());
    assert_eq!((rejected, clock.elapsed()), (Err(RejectedKind::RateLimited), Duration::ZERO));
}
