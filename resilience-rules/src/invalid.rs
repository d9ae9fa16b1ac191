//! The error of a broken rule, with the values that break the rule.

use core::fmt;
use core::time::Duration;

/// A rule that a policy breaks: the message states the problem and the fix.
///
/// [`Display`](fmt::Display) adds the values behind the names of their keys: "`base_delay` (10s) is
/// longer than `max_delay` (5s), …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    message: &'static str,
    /// The values of the first two names in the message.
    values: [Option<Value>; 2],
}

/// The result of a rule.
pub type RuleResult = Result<(), InvalidPolicy>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value {
    amount: Amount,
    is_default: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    Count(u32),
    Time(Duration),
}

impl InvalidPolicy {
    const fn new(message: &'static str) -> Self {
        Self { message, values: [None, None] }
    }

    /// Returns the message without values, as a panic in a constant needs.
    #[must_use]
    pub const fn message(self) -> &'static str {
        self.message
    }

    /// Says in the message that the first value is a default, not a setting of the caller.
    #[must_use]
    pub const fn first_is_default(self) -> Self {
        let [first, second] = self.values;
        Self { values: [as_default(first), second], ..self }
    }

    /// Says in the message that the second value is a default, not a setting of the caller.
    #[must_use]
    pub const fn second_is_default(self) -> Self {
        let [first, second] = self.values;
        Self { values: [first, as_default(second)], ..self }
    }
}

const fn as_default(value: Option<Value>) -> Option<Value> {
    match value {
        Some(Value { amount, .. }) => Some(Value { amount, is_default: true }),
        None => None,
    }
}

/// A rule about one value. The message does not show the value.
pub(crate) const fn require(holds: bool, message: &'static str) -> RuleResult {
    if holds { Ok(()) } else { Err(InvalidPolicy::new(message)) }
}

/// A rule about one count. The message shows the count behind the first name.
pub(crate) const fn require_count(holds: bool, message: &'static str, count: u32) -> RuleResult {
    if holds {
        return Ok(());
    }
    let value = Value { amount: Amount::Count(count), is_default: false };
    Err(InvalidPolicy { message, values: [Some(value), None] })
}

/// A rule between two counts, in the order of their names in the message.
pub(crate) const fn require_counts(
    holds: bool,
    message: &'static str,
    first: u32,
    second: u32,
) -> RuleResult {
    require_pair(holds, message, Amount::Count(first), Amount::Count(second))
}

/// A rule between two times, in the order of their names in the message.
pub(crate) const fn require_times(
    holds: bool,
    message: &'static str,
    first: Duration,
    second: Duration,
) -> RuleResult {
    require_pair(holds, message, Amount::Time(first), Amount::Time(second))
}

const fn require_pair(
    holds: bool,
    message: &'static str,
    first: Amount,
    second: Amount,
) -> RuleResult {
    if holds {
        return Ok(());
    }
    let (first, second) =
        (Value { amount: first, is_default: false }, Value { amount: second, is_default: false });
    Err(InvalidPolicy { message, values: [Some(first), Some(second)] })
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.values.iter();
        // Odd parts stand between backticks: they are names.
        for (index, part) in self.message.split('`').enumerate() {
            if index % 2 == 0 {
                f.write_str(part)?;
                continue;
            }
            write!(f, "`{part}`")?;
            if let Some(Some(value)) = values.next() {
                write!(f, " ({value})")?;
            }
        }
        Ok(())
    }
}

impl core::error::Error for InvalidPolicy {}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_default {
            f.write_str("default ")?;
        }
        match self.amount {
            Amount::Count(count) => write!(f, "{count}"),
            Amount::Time(time) => Written(time).fmt(f),
        }
    }
}

/// A time in the syntax of the attributes: `250ms`, `1.5s`, `1m30s`, `24h`.
pub(crate) struct Written(pub(crate) Duration);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(time) = self;
        if time.subsec_nanos() != 0 || time.is_zero() {
            return write!(f, "{time:?}");
        }
        let seconds = time.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        for (amount, unit) in [(hours, "h"), (minutes, "m"), (seconds, "s")] {
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: Duration) -> String {
        Value { amount: Amount::Time(text), is_default: false }.to_string()
    }

    #[test]
    fn times_are_written_in_the_syntax_of_the_attributes() {
        assert_eq!(time(Duration::ZERO), "0ns");
        assert_eq!(time(Duration::from_millis(250)), "250ms");
        assert_eq!(time(Duration::from_millis(1500)), "1.5s");
        assert_eq!(time(Duration::from_secs(90)), "1m30s");
        assert_eq!(time(Duration::from_secs(86_400)), "24h");
    }

    #[test]
    fn values_follow_the_names_of_their_keys() {
        let error = crate::retry::base_within_max(Duration::from_secs(10), Duration::from_secs(5));
        let error = error.expect_err("a broken rule");
        assert!(!error.message().contains("10s"));
        assert_eq!(
            error.to_string(),
            "`base_delay` (10s) is longer than `max_delay` (5s), so no delay could grow; raise \
             `max_delay` or lower `base_delay`"
        );
        let error = error.first_is_default().to_string();
        assert!(error.starts_with("`base_delay` (default 10s) is"), "{error}");
        let error = crate::circuit_breaker::window(0).expect_err("a broken rule").to_string();
        assert!(error.starts_with("`window` (0) must"), "{error}");
    }
}
