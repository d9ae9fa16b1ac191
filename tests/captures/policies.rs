//! Policies and budgets in a value that the body changes.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use resilience::{CircuitBreaker, RetryBudget, RetryPolicy, circuit_breaker, retry, testing};

use super::is_send;

struct Client {
    retry: RetryPolicy,
    shared: Arc<RetryPolicy>,
    budget: Arc<RetryBudget>,
    breaker: Arc<CircuitBreaker>,
    base: Duration,
    sent: u32,
}

impl Client {
    fn new() -> Self {
        Self {
            retry: RetryPolicy::new().attempts(4),
            shared: Arc::new(RetryPolicy::new().attempts(5)),
            budget: Arc::default(),
            breaker: Arc::default(),
            base: Duration::from_millis(1),
            sent: 0,
        }
    }

    fn send(&mut self) -> Result<u32, String> {
        self.sent += 1;
        Err(self.sent.to_string())
    }

    #[retry(policy = self.retry)]
    fn by_value(&mut self) -> Result<u32, String> {
        self.send()
    }

    #[retry(policy = &self.retry)]
    async fn by_reference(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.send()
    }

    #[retry(policy = self.shared)]
    fn by_handle(&mut self) -> Result<u32, String> {
        self.send()
    }

    #[retry(budget = self.budget)]
    fn with_budget(&mut self) -> Result<u32, String> {
        self.send()
    }

    #[retry(budget = &self.budget, base_delay = "1ms")]
    async fn with_budget_async(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.send()
    }

    #[retry(backoff = |n| self.base * n, jitter = "none")]
    fn with_backoff(&mut self) -> Result<u32, String> {
        self.send()
    }

    #[retry(backoff = |n| self.base * n, on_retry = |_| {})]
    async fn with_backoff_async(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.send()
    }

    #[retry(backoff = |n| self.base * n, attempts = 2)]
    async fn with_backoff_plain(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.send()
    }

    #[retry(policy = self.retry)]
    #[circuit_breaker(breaker = self.breaker, error = |_| "open".to_owned())]
    async fn with_breaker(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.send()
    }
}

#[retry(policy = client.retry)]
fn argument(client: &mut Client) -> Result<u32, String> {
    client.send()
}

#[test]
fn a_policy_in_a_value_that_the_body_changes_is_held_as_a_clone() {
    let _guard = testing::no_waits();
    let attempts = |out: Result<u32, String>| out.expect_err("the call fails");
    assert_eq!(attempts(Client::new().by_value()), "4");
    assert_eq!(attempts(block_on(is_send(Client::new().by_reference()))), "4");
    assert_eq!(attempts(Client::new().by_handle()), "5");
    assert_eq!(attempts(Client::new().with_budget()), "3");
    assert_eq!(attempts(block_on(is_send(Client::new().with_budget_async()))), "3");
    assert_eq!(attempts(Client::new().with_backoff()), "3");
    assert_eq!(attempts(block_on(is_send(Client::new().with_backoff_async()))), "3");
    assert_eq!(attempts(block_on(is_send(Client::new().with_backoff_plain()))), "2");
    assert_eq!(attempts(block_on(is_send(Client::new().with_breaker()))), "4");
    assert_eq!(attempts(argument(&mut Client::new())), "4");
}

#[test]
fn a_backoff_closure_computes_each_delay() {
    let clock = testing::clock();
    let _ = Client::new().with_backoff();
    assert_eq!(clock.elapsed(), Duration::from_millis(3));
}
