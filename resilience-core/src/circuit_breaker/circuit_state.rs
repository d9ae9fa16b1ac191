//! The states of a breaker.

/// The state of a breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls are admitted, and failures are counted.
    #[default]
    Closed,
    /// Calls are rejected until the open time ends.
    Open,
    /// A few trial calls are admitted, and their outcomes decide.
    HalfOpen,
    /// Calls are rejected until the breaker is closed by hand
    /// ([`force_open`](super::CircuitBreaker::force_open)), or until the time of a
    /// [`control`](crate::control()) ends.
    ForcedOpen,
    /// Calls are admitted and not counted ([`disable`](super::CircuitBreaker::disable)), if forced
    /// by a [`control`](crate::control()) for a time, until the time ends.
    Disabled,
}

impl CircuitState {
    /// Returns whether all calls are admitted.
    pub(crate) const fn admits_all(self) -> bool {
        matches!(self, Self::Closed | Self::Disabled)
    }
}
