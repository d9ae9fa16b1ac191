//! The share of requests that a server refuses for their deadline.

use std::sync::{Mutex, PoisonError};

use resilience_core::__internal::now;

/// One refusal for each started group of this many requests: at most 20 %.
const REQUESTS_PER_REFUSAL: u64 = 5;
const SECONDS: u64 = 10;

/// Counts the requests and refusals of ten seconds.
///
/// At most 20 % of the requests of ten seconds are refused, so that a wrong clock of a client or of
/// this server cannot close the service. Source: `DeadlineFilter` of Finagle, with its defaults.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<[Second; 10]>);

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    number: u64,
    requests: u64,
    refusals: u64,
}

impl Refusals {
    /// Counts a request, and returns whether a request whose deadline has passed is refused.
    pub(crate) fn admit(&self, is_over: bool) -> bool {
        let number = now().word() / 1_000_000_000;
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = seconds.iter().filter(|second| number < second.number.saturating_add(SECONDS));
        let (requests, refusals) = live.fold((1_u64, 0_u64), |(requests, refusals), second| {
            (requests.saturating_add(second.requests), refusals.saturating_add(second.refusals))
        });
        let refuses = is_over && refusals.saturating_mul(REQUESTS_PER_REFUSAL) < requests;
        let index = usize::try_from(number % SECONDS).unwrap_or_default();
        if let Some(second) = seconds.get_mut(index) {
            if second.number != number {
                *second = Second { number, ..Second::default() };
            }
            second.requests = second.requests.saturating_add(1);
            second.refusals = second.refusals.saturating_add(u64::from(refuses));
        }
        !refuses
    }
}
