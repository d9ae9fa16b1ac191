//! The defaults of health reports and of subscriptions to changes of the state.

/// The load from which a policy is degraded: an open circuit, a full bulkhead.
pub const THRESHOLD: f64 = 1.0;

/// The load from which a circuit breaker with a state per key is degraded: the share of the keys
/// whose circuit is not closed.
pub const KEYS_THRESHOLD: f64 = 0.1;

/// The number of changes that a subscription holds. A further change displaces the oldest.
pub const MAX_CHANGES: usize = 256;
