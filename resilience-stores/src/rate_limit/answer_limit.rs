//! The time limit of a request to a store of leases.
//!
//! A store that is slower than a lease still divides the rate, if its answers are heard: the limit
//! follows the answers of the store. Without an answer the number of the members is unknown.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::rounds::time_limit;

/// The longest limit, in intervals.
const LONGEST: u32 = 16;
/// The longest limit for a store that was fast, in intervals.
const LONGEST_AFTER_SILENCE: u32 = 8;

#[derive(Debug)]
pub(super) struct AnswerLimit {
    interval: Duration,
    limit: Duration,
}

impl AnswerLimit {
    /// Creates the limit for a store that has not answered yet: the longest.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, limit: Self::longest(interval) }
    }

    pub(super) fn longest(interval: Duration) -> Duration {
        interval.saturating_mul(LONGEST)
    }

    /// Returns the longest limit of the other members, if the store is about as slow for all.
    pub(super) fn longest_of_others(&self) -> Duration {
        self.limit.max(self.interval.saturating_mul(LONGEST_AFTER_SILENCE))
    }

    /// Waits for an answer, or returns the reason for the failure. The limit of the next request is
    /// four times the time of the answer. Each request without an answer doubles the limit.
    pub(super) async fn wait<T, E: Display>(
        &mut self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, String> {
        let start = Instant::now();
        match timeout(self.limit, answer).await {
            Ok(Ok(answer)) => {
                let limit = start.elapsed().saturating_mul(4);
                let shortest = time_limit(self.interval);
                self.limit = limit.clamp(shortest, Self::longest(self.interval));
                Ok(answer)
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => {
                let error = format!("no answer within {:?}", self.limit);
                let longest = self.interval.saturating_mul(LONGEST_AFTER_SILENCE);
                self.limit = self.limit.max(self.limit.saturating_mul(2).min(longest));
                Err(error)
            }
        }
    }
}
