//! Attributes of the current span of `tracing`. Without the feature `tracing`, the functions do
//! nothing.
//!
//! A span has room for an attribute only if the program declares the field. Calls that succeed at
//! the first attempt through a closed circuit write nothing.

pub use self::emit::in_current_span;
pub(crate) use self::emit::{record_attempts, record_circuit_state};

#[cfg(feature = "tracing")]
mod emit {
    use tracing::Span;
    use tracing::instrument::{Instrument as _, Instrumented};

    const ATTEMPTS: &str = "resilience.attempts";
    const CIRCUIT_STATE: &str = "resilience.circuit_breaker.state";

    /// Records the number of attempts of a call, once an attempt has failed.
    pub(crate) fn record_attempts(attempts: u32) {
        Span::current().record(ATTEMPTS, attempts);
    }

    /// Records the state of the circuit that a call met, unless the state is closed.
    pub(crate) fn record_circuit_state(state: impl FnOnce() -> &'static str) {
        let span = Span::current();
        if span.has_field(CIRCUIT_STATE) {
            span.record(CIRCUIT_STATE, state());
        }
    }

    /// Runs a future in the current span, also in another task.
    pub fn in_current_span<F>(future: F) -> Instrumented<F> {
        future.in_current_span()
    }
}

#[cfg(not(feature = "tracing"))]
mod emit {
    pub(crate) fn record_attempts(_: u32) {}

    pub(crate) fn record_circuit_state(_: impl FnOnce() -> &'static str) {}

    /// Returns the future.
    pub fn in_current_span<F>(future: F) -> F {
        future
    }
}
