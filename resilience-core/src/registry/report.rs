//! The reports of the registry.

use core::fmt;
use core::panic::Location;
use core::time::Duration;

use crate::CircuitState;
use crate::duration::Exact;
use crate::figures::{Figure, Labels};

/// The kind of a policy: the attribute or the type that makes the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PolicyKind {
    /// `#[retry]` or a [`RetryPolicy`](crate::RetryPolicy).
    Retry,
    /// `#[circuit_breaker]` or a [`CircuitBreaker`](crate::CircuitBreaker).
    CircuitBreaker,
    /// `#[timeout]`.
    Timeout,
    /// `#[fallback]`.
    Fallback,
    /// `#[bulkhead]` or a [`Bulkhead`](crate::Bulkhead).
    Bulkhead,
    /// `#[rate_limit]` or a [`RateLimiter`](crate::RateLimiter).
    RateLimit,
    /// `#[idempotent]`.
    Idempotent,
    /// `#[coalesce]` or a [`Coalescer`](crate::Coalescer).
    Coalesce,
    /// `#[hedge]` or a [`HedgePolicy`](crate::HedgePolicy).
    Hedge,
    /// An annotated function as a whole, for the durations of its calls. Only with the feature
    /// `duration-histograms`.
    Function,
}

/// The name of a circuit breaker by hand without a name.
pub(crate) const CIRCUIT_BREAKER: &str = "circuit breaker";

impl PolicyKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Retry,
        Self::CircuitBreaker,
        Self::Timeout,
        Self::Fallback,
        Self::Bulkhead,
        Self::RateLimit,
        Self::Idempotent,
        Self::Coalesce,
        Self::Hedge,
        Self::Function,
    ];

    /// Returns the name of the attribute, such as `circuit_breaker`; `function` for the function.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Timeout => "timeout",
            Self::Fallback => "fallback",
            Self::Bulkhead => "bulkhead",
            Self::RateLimit => "rate_limit",
            Self::Idempotent => "idempotent",
            Self::Coalesce => "coalesce",
            Self::Hedge => "hedge",
            Self::Function => "function",
        }
    }

    /// Returns the name of a policy by hand without a name.
    pub(crate) const fn default_name(self) -> Option<&'static str> {
        match self {
            Self::CircuitBreaker => Some(CIRCUIT_BREAKER),
            Self::Idempotent | Self::Function => None,
            other => Some(other.as_str()),
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The origin of the value of a setting, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SettingOrigin {
    /// The attribute or the builder, or the default.
    Code,
    /// A file with settings.
    File,
    /// A variable of the environment.
    Environment,
    /// A change at run time.
    Live,
}

/// A setting of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Setting {
    /// The key in the attribute, such as `reset_timeout`.
    pub name: &'static str,
    /// The value as in the attribute, without quotes: `30s`, `5`, `0.5`, `true`.
    pub value: String,
    /// The origin of the value.
    pub origin: SettingOrigin,
}

impl Setting {
    /// Returns a setting from the code.
    #[doc(hidden)]
    pub fn code(name: &'static str, value: impl fmt::Display) -> Self {
        Self { name, value: value.to_string(), origin: SettingOrigin::Code }
    }

    /// Returns the setting `wait` from the code.
    pub(crate) fn wait(wait: Duration) -> Self {
        match wait {
            Duration::MAX => Self::code("wait", "unlimited"),
            wait => Self::code("wait", Exact(wait)),
        }
    }
}

/// A position in the source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SourceLocation {
    /// The file, as the compiler was given its path.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl SourceLocation {
    pub(crate) const fn of(location: &'static Location<'static>) -> Self {
        Self { file: location.file(), line: location.line(), column: location.column() }
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A policy: identity, settings, state and figures. Returned by [`policies`](super::policies).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PolicyReport {
    /// The path of the function, or `name = "…"`.
    pub name: &'static str,
    /// The kind of the policy.
    pub kind: PolicyKind,
    /// The outermost attribute of the function, or the place that made the policy. Distinguishes
    /// two functions of one name.
    pub location: SourceLocation,
    /// Whether a listed policy of the same kind at another place has the same name. The log, the
    /// figures and changes by name do not tell such policies apart.
    pub shares_name: bool,
    /// The settings.
    pub settings: Vec<Setting>,
    /// The state of a circuit breaker; for other kinds, and for a breaker with a state per key,
    /// `None`.
    pub state: Option<CircuitState>,
    /// The figures of the policy, in the order of the table; for a policy with a state per key,
    /// the totals.
    pub figures: Vec<Figure>,
    /// The keys of a policy with a state per key.
    pub keys: Option<KeysReport>,
}

/// The keys of a policy with a state per key.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KeysReport {
    /// The number of keys with a separate state.
    pub keys: u32,
    /// The limit of keys, `max_keys` in the attribute.
    pub max_keys: u32,
    /// For a circuit breaker, the keys whose circuit is open, half-open or forced open; else 0.
    pub open: u32,
    /// The keys with the most calls, at most [`TOP_KEYS`](super::TOP_KEYS).
    pub busiest: Vec<KeyReport>,
    /// The keys with the most rejected calls, at most [`TOP_KEYS`](super::TOP_KEYS).
    pub rejecting: Vec<KeyReport>,
}

/// A key of a policy with a state per key.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KeyReport {
    /// The label of the key: the text of `key_label`, or 16 hexadecimal digits, which identify the
    /// key in this process only.
    pub key: String,
    /// The calls since the key was added to the table.
    pub calls: u64,
    /// The rejected calls among `calls`.
    pub rejected: u64,
    /// The state, for a circuit breaker.
    pub state: Option<CircuitState>,
    /// The current values of this key: calls in flight, calls that wait, permits.
    pub gauges: Vec<Figure>,
}

impl PolicyReport {
    /// Returns the sum of the figures of this name whose labels have all of these values.
    ///
    /// ```
    /// use resilience::{CircuitBreaker, policies};
    ///
    /// let api = CircuitBreaker::new().failure_threshold(2).name("report_example");
    /// api.try_acquire()?.failure();
    /// let report = policies().into_iter().find(|policy| policy.name == "report_example").unwrap();
    /// assert_eq!(report.count("resilience.calls", &["failure"]), 1);
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    #[must_use]
    pub fn count(&self, figure: &str, labels: &[&str]) -> u64 {
        let has = |known: &Labels, value: &str| known.iter().any(|(_, known)| *known == value);
        let figures = self.figures.iter().filter(|known| known.info.name == figure);
        let figures = figures.filter(|known| labels.iter().all(|value| has(&known.labels, value)));
        figures.fold(0, |sum, figure| sum.saturating_add(figure.value.as_u64()))
    }

    /// Returns the current value of a gauge without labels.
    #[must_use]
    pub fn gauge(&self, figure: &str) -> Option<u64> {
        let known = self.figures.iter().find(|known| known.info.name == figure)?;
        Some(known.value.as_u64())
    }

    /// Returns the value of a setting.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|known| known.name == name).map(|known| known.value.as_str())
    }
}
