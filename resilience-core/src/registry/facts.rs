//! The effects of policies on a call, for explanations.

use core::fmt;
use core::time::Duration;

use super::report::PolicyKind;
use crate::CircuitState;
use crate::duration::Rounded;
use crate::mode;
use crate::settings::{Check, overrides};

/// The effect of a policy on a call.
#[derive(Clone, Debug)]
pub enum Facts {
    /// No general statement.
    Unknown,
    /// Repeats the call.
    Repeats(Repeats),
    /// Starts at most this number of attempts beside the first.
    Hedges(u8),
    /// Ends the call after this time; `None` is known only at run time.
    Ends(Option<Duration>),
    /// Lets the call wait for a permit, at most for this time; `None` is without a limit.
    Waits { longest: Option<Duration>, text: String },
    /// Rejects the call, in words.
    Rejects(String),
    /// Replaces a failure.
    Replaces,
    /// Switched off, by name or with all policies: calls run as without the policy.
    Off,
}

impl Facts {
    /// Adds the state of a circuit breaker. Apart from the settings: the first event of a breaker
    /// asks for these under the lock of the state.
    pub(crate) fn in_state(self, state: Option<CircuitState>) -> Self {
        let Self::Rejects(text) = self else { return self };
        let note = match state {
            Some(CircuitState::Open) => "; now open",
            Some(CircuitState::HalfOpen) => "; now half-open",
            Some(CircuitState::ForcedOpen) => "; forced open, rejects each call",
            Some(CircuitState::Disabled) => "; forced closed, admits each call",
            Some(CircuitState::Closed) | None => "",
        };
        Self::Rejects(text + note)
    }
}

/// Returns the effect of a policy under the settings in use. `facts` is the effect without
/// overrides, or of a policy that knows its settings in use.
pub(crate) fn facts_in_use(kind: PolicyKind, name: &str, code: &dyn Check, facts: Facts) -> Facts {
    if !mode::is_enabled() && kind != PolicyKind::Idempotent {
        return Facts::Off;
    }
    if !mode::has_settings() {
        return facts;
    }
    let overrides = overrides(kind, name).1.accepted(|all| code.check(all).is_ok());
    if overrides.is_empty() {
        return facts;
    }
    if overrides.is_enabled() { code.facts(&overrides).unwrap_or(facts) } else { Facts::Off }
}

/// A retry.
#[derive(Clone, Debug)]
pub struct Repeats {
    /// The limit of attempts; `None` is unlimited.
    pub(crate) attempts: Option<u32>,
    /// The longest delays, without a delay of the server; the last repeats. `None` with a backoff
    /// of the user's.
    pub(crate) delays: Option<Vec<Duration>>,
    pub(crate) initial_delay: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    /// The longest delay that the server may ask for.
    pub(crate) max_retry_after: Duration,
    pub(crate) waits_for_rejections: bool,
    pub(crate) has_budget: bool,
    /// Whether retries of functions inside make one attempt.
    pub(crate) is_outer_only: bool,
}

impl Repeats {
    /// Returns the longest delays before all retries of a call, at most [`LISTED`].
    pub(crate) fn listed_delays(&self) -> Vec<Duration> {
        let retries = self.attempts.map_or(LISTED, |attempts| attempts.saturating_sub(1));
        let delays = self.delays.as_deref().unwrap_or_default();
        (0..retries.min(LISTED)).map_while(|retry| nth(delays, retry)).collect()
    }

    /// Returns the sum of the longest delays of a call. `at_least` is a lower bound of each delay.
    pub(crate) fn all_delays(&self, at_least: Duration) -> Option<Duration> {
        let retries = self.attempts?.saturating_sub(1);
        let delays = self.delays.as_deref()?;
        let known = u32::try_from(delays.len()).unwrap_or(u32::MAX).min(retries);
        let first = (0..known).filter_map(|retry| nth(delays, retry));
        let sum = first.fold(Duration::ZERO, |sum, delay| sum.saturating_add(delay.max(at_least)));
        let last = delays.last().copied().unwrap_or_default().max(at_least);
        Some(sum.saturating_add(last.saturating_mul(retries - known)))
    }
}

/// The largest number of delays in an explanation.
pub(crate) const LISTED: u32 = 10;

fn nth(delays: &[Duration], retry: u32) -> Option<Duration> {
    let index = usize::try_from(retry).ok()?;
    delays.get(index).or(delays.last()).copied()
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no statement"),
            Self::Repeats(repeats) => repeats.fmt(f),
            Self::Hedges(1) => f.write_str("a second attempt beside a slow or failed first"),
            Self::Hedges(max) => write!(f, "at most {max} attempts beside the first"),
            Self::Ends(Some(limit)) => write!(f, "drops the call after {}", Rounded(*limit)),
            Self::Ends(None) => f.write_str("drops the call after a time known at run time"),
            Self::Waits { text, .. } | Self::Rejects(text) => f.write_str(text),
            Self::Replaces => f.write_str("replaces a failure by another value"),
            Self::Off => f.write_str("switched off"),
        }
    }
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts {
            None => f.write_str("unlimited attempts")?,
            Some(1) => f.write_str("1 attempt")?,
            Some(attempts) => write!(f, "at most {attempts} attempts")?,
        }
        if let Some(delay) = self.initial_delay {
            write!(f, ", the first after {}", Rounded(delay))?;
        }
        match (self.attempts, &self.delays) {
            (Some(1), _) => return Ok(()),
            (_, None) => f.write_str(", delays by a backoff of the program")?,
            (_, Some(_)) => {
                f.write_str(", delays of at most ")?;
                let delays = self.listed_delays();
                for (index, delay) in delays.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{}", Rounded(*delay))?;
                }
                if self.attempts.is_none_or(|attempts| attempts.saturating_sub(1) > LISTED) {
                    f.write_str(", …")?;
                }
            }
        }
        write!(f, ", or of the server up to {}", Rounded(self.max_retry_after))?;
        if let Some(deadline) = self.deadline {
            write!(f, "; no attempt starts {} after the call", Rounded(deadline))?;
        }
        if self.waits_for_rejections {
            f.write_str("; waits for rejections")?;
        }
        if self.has_budget {
            f.write_str("; fewer retries when the budget is used up")?;
        }
        if self.is_outer_only {
            f.write_str("; retries of functions inside make one attempt")?;
        }
        Ok(())
    }
}
