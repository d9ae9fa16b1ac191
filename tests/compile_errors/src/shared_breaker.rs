//! The key `shared` together with other keys, on a method and on a generic function.

use resilience::circuit_breaker;

/// A client of the payment service.
#[derive(Debug)]
pub struct Client;

impl Client {
    /// Charges.
    #[circuit_breaker(shared = "payments", failure_rate = 0.5, name = "charge")]
    pub async fn charge(&mut self) -> Option<()> {
        Some(())
    }
}

/// Refunds.
#[must_use]
#[circuit_breaker(shared = "payments", slow_call = "1s")]
pub fn refund<T: Default>() -> Option<T> {
    Some(T::default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_with_one_breaker_run() {
        assert_eq!(crate::ready(super::Client.charge()), Some(()));
        assert_eq!(super::refund(), Some(0));
    }
}
