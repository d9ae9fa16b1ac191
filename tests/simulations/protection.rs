//! The protection of a service from its clients in a model: a retry policy, and perhaps a breaker.

use std::time::Duration;

use resilience::{CircuitBreaker, Rejected, RetryBudget, RetryPolicy};

use crate::load::kept;

#[derive(Clone, Copy)]
pub(crate) struct Protection {
    retry: RetryPolicy,
    breaker: Option<&'static CircuitBreaker>,
}

/// Creates the protection of a run: no state of a run may reach the next.
pub(crate) type New = fn() -> Protection;

/// A failed attempt of a model.
#[derive(Debug)]
pub(crate) struct Failed;

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self
    }
}

impl Protection {
    pub(crate) const fn none(retry: RetryPolicy) -> Self {
        Self { retry, breaker: None }
    }

    pub(crate) fn budget(self, budget: RetryBudget) -> Self {
        Self { retry: self.retry.budget(kept(budget)), ..self }
    }

    /// Adds a breaker that opens at half of failures, for 5 s.
    pub(crate) fn breaker(self) -> Self {
        let breaker = CircuitBreaker::new().failure_rate(0.5).reset_timeout(Duration::from_secs(5));
        Self { breaker: Some(Box::leak(Box::new(breaker))), ..self }
    }

    pub(crate) async fn call(
        self,
        attempt: impl AsyncFn() -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let Self { retry, breaker } = self;
        retry
            .run_async(async || match breaker {
                Some(breaker) => breaker.run_async(attempt()).await,
                None => attempt().await,
            })
            .await
    }
}
