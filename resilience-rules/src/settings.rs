//! Settings that override those of the code: the keys, the form of their values, and the limits.

use core::fmt;
use core::time::Duration;

use crate::hints::{self, hint};
use crate::nearest;
use crate::{
    RuleResult, bulkhead, circuit_breaker, duration, fallback, hedge, rate_limit, retry, timeout,
};

/// The largest settings file, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;

/// The largest number of settings in one file or environment, and of live settings.
pub const MAX_SETTINGS: usize = 10_000;

/// The longest name or pattern, in bytes.
pub const MAX_NAME: usize = 512;

/// The number of changes that the history holds.
pub const MAX_HISTORY: usize = 100;

/// The prefix of the variables of the environment.
pub const ENVIRONMENT_PREFIX: &str = "RESILIENCE__";

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Count(u32),
    /// A number.
    Number(f64),
    /// A time.
    Time(Duration),
    /// `true` or `false`.
    Flag(bool),
    /// A word of the key.
    Word(&'static str),
}

/// A value as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'r> {
    /// A text without a type, as in the environment: `5`, `0.5`, `200ms`, `true`.
    Plain(&'r str),
    /// A text in quotes.
    Text(&'r str),
    /// A whole number.
    Whole(i128),
    /// A number with a fraction.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// Another type, in words: `a list`.
    Other(&'static str),
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) | Self::Text(text) => {
                let mut shown: String = text.chars().take(40).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                write!(f, "{shown:?}")
            }
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

impl Raw<'_> {
    /// Returns the value as written in code or TOML; `None` for an empty text, and for a value of
    /// another type.
    fn written(&self) -> Option<String> {
        let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'));
        let is_number = |text: &str| is_plain(text) && text.parse::<f64>().is_ok();
        match self {
            Self::Plain(text) | Self::Text(text) if text.trim().is_empty() => None,
            Self::Plain(text) if is_number(text) => Some((*text).to_owned()),
            Self::Other(_) => None,
            raw => Some(raw.to_string()),
        }
    }
}

/// The form of a value.
#[derive(Clone, Copy, Debug)]
enum Form {
    Count,
    Number,
    Time,
    Flag,
    Words(&'static [&'static str]),
}

/// A key that a setting can change.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name, as in the attribute.
    pub name: &'static str,
    forms: &'static [Form],
    rule: fn(Value) -> RuleResult,
}

const ANY: fn(Value) -> RuleResult = |_| Ok(());

macro_rules! key {
    ($name:literal, $($form:expr),+) => {
        Key { name: $name, forms: &[$($form),+], rule: ANY }
    };
    ($name:literal, $($form:expr),+; $($value:ident($it:ident) => $rule:expr),+) => {
        Key {
            name: $name,
            forms: &[$($form),+],
            rule: |value| match value {
                $(Value::$value($it) => $rule,)+
                #[allow(unreachable_patterns, reason = "some keys have one form")]
                _ => Ok(()),
            },
        }
    };
}

const ENABLED: Key = key!("enabled", Form::Flag);
const SHADOW: Key = key!("shadow", Form::Flag);

const RETRY: &[Key] = &[
    key!("attempts", Form::Count, Form::Words(&["unlimited"]); Count(n) => retry::attempts(n)),
    key!("initial_delay", Form::Time),
    key!("base_delay", Form::Time),
    key!("max_delay", Form::Time),
    key!("factor", Form::Number; Number(n) => retry::factor(n)),
    key!(
        "jitter", Form::Number, Form::Time, Form::Words(&["none", "full", "equal", "decorrelated"]);
        Number(n) => retry::jitter(n)
    ),
    key!("deadline", Form::Time; Time(time) => retry::deadline(time)),
    key!("max_retry_after", Form::Time),
    ENABLED,
];

const CIRCUIT_BREAKER: &[Key] = &[
    key!("failure_threshold", Form::Count; Count(n) => circuit_breaker::failure_threshold(n)),
    key!("failure_rate", Form::Number; Number(n) => circuit_breaker::failure_rate(n)),
    key!(
        "window", Form::Count, Form::Time;
        Count(n) => circuit_breaker::window(n), Time(time) => circuit_breaker::window_time(time)
    ),
    key!("min_calls", Form::Count; Count(n) => circuit_breaker::min_calls(n)),
    key!("slow_call", Form::Time; Time(time) => circuit_breaker::slow_call(time)),
    key!("slow_rate", Form::Number; Number(n) => circuit_breaker::slow_rate(n)),
    key!("reset_timeout", Form::Time; Time(time) => circuit_breaker::reset_timeout(time)),
    key!("max_reset_timeout", Form::Time),
    key!("jitter", Form::Number; Number(n) => circuit_breaker::open_jitter(n)),
    key!("recovery", Form::Time; Time(time) => circuit_breaker::recovery(time)),
    key!("success_threshold", Form::Count; Count(n) => circuit_breaker::success_threshold(n)),
    key!("half_open_calls", Form::Count),
    key!("on_cancel", Form::Words(&["ignore", "failure"])),
    SHADOW,
    ENABLED,
];

const TIMEOUT: &[Key] = &[key!("limit", Form::Time; Time(time) => timeout::limit(time)), ENABLED];

const BULKHEAD: &[Key] = &[
    key!("max", Form::Count; Count(n) => bulkhead::max(n)),
    key!("queue", Form::Count),
    key!("wait", Form::Time),
    SHADOW,
    ENABLED,
];

const RATE_LIMIT: &[Key] = &[
    key!("rate", Form::Count; Count(n) => rate_limit::rate(n)),
    key!("per", Form::Time; Time(time) => rate_limit::per(time)),
    key!("burst", Form::Count; Count(n) => rate_limit::burst(n)),
    key!("wait", Form::Time),
    SHADOW,
    ENABLED,
];

const FALLBACK: &[Key] = &[key!("stale", Form::Time; Time(time) => fallback::stale(time))];

const COALESCE: &[Key] = &[ENABLED];

const HEDGE: &[Key] = &[
    key!("after", Form::Time; Time(time) => hedge::after(time)),
    key!("warm_up", Form::Time; Time(time) => hedge::warm_up(time)),
    key!("max", Form::Count; Count(n) => hedge::max_hedges(n)),
    ENABLED,
];

/// The attributes with settings, by name.
const ATTRIBUTES: &[(&str, &[Key])] = &[
    ("retry", RETRY),
    ("circuit_breaker", CIRCUIT_BREAKER),
    ("timeout", TIMEOUT),
    ("bulkhead", BULKHEAD),
    ("rate_limit", RATE_LIMIT),
    ("fallback", FALLBACK),
    ("coalesce", COALESCE),
    ("hedge", HEDGE),
];

/// Attributes and keys that no setting can change, with the reason. An empty key is the attribute.
const FIXED: &[(&str, &str, &str)] = &[
    (
        "idempotent",
        "",
        "records in the store were made under the settings of the code, and other processes rely \
         on the same settings",
    ),
    ("retry", "backoff", "the kind of the delays is compiled into the function"),
    ("retry", "budget", "other functions may share the budget"),
    ("retry", "idempotent", "`idempotent` is a property of the function"),
    ("retry", "on_rejection", "the choice is compiled into the function"),
    ("retry", "nested", "the choice is compiled into the function"),
    ("circuit_breaker", "shared", "other processes use the name"),
    ("rate_limit", "shared", "other processes use the name"),
    ("fallback", "value", "the replacement is code"),
    ("fallback", "with", "the replacement is code"),
    ("fallback", "max_keys", "the table of values has its size from the first call on"),
    ("hedge", "budget", "other functions may share the budget"),
    ("hedge", "idempotent", "`idempotent` is a property of the function"),
    ("circuit_breaker", "max_keys", "the table of keys has its size from the first call on"),
    ("bulkhead", "max_keys", "the table of keys has its size from the first call on"),
    ("rate_limit", "max_keys", "the table of keys has its size from the first call on"),
    ("circuit_breaker", "max_open", "the table of keys has its limit from the first call on"),
];

/// Returns the answer to an unknown word.
fn answer(word: &str, known: &[&str]) -> String {
    match nearest(&word.to_lowercase(), known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; expected one of `{}`", known.join("`, `")),
    }
}

/// Returns a text for a message: without control characters, and cut.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars().take(80) {
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns the keys of an attribute that can change; none for an attribute without such keys.
#[must_use]
pub fn keys(of: &str) -> &'static [Key] {
    ATTRIBUTES.iter().find(|(known, _)| *known == of).map_or(&[], |(_, keys)| keys)
}

/// Checks the name of an attribute.
///
/// # Errors
/// The mistake in words.
pub fn attribute(name: &str) -> Result<&'static str, String> {
    if let Some((known, _)) = ATTRIBUTES.iter().find(|(known, _)| *known == name) {
        return Ok(known);
    }
    if let Some((.., reason)) = FIXED.iter().find(|(of, key, _)| *of == name && key.is_empty()) {
        return Err(format!("the settings of `{name}` cannot change at run time: {reason}"));
    }
    let known: Vec<_> = ATTRIBUTES.iter().map(|(known, _)| *known).collect();
    let answer = match hints::attribute(name) {
        Some(here) => format!("; write `{here}`"),
        None => answer(name, &known),
    };
    Err(format!("there is no attribute `{}`{answer}", shown(name)))
}

/// Reads a setting: finds the key, converts the value, and checks the rule of the key.
///
/// # Errors
/// The mistake in words: an unknown attribute or key, a value of another form, a broken rule.
pub fn read(of: &str, key: &str, raw: Raw<'_>) -> Result<(Key, Value), String> {
    let of = attribute(of)?;
    let keys = keys(of);
    let Some(found) = keys.iter().find(|known| known.name == key) else {
        return Err(fixed(of, key).unwrap_or_else(|| unknown(of, key, raw)));
    };
    let value = found.value(raw).map_err(|mistake| format!("`{of}.{key}`: {mistake}"))?;
    match (found.rule)(value) {
        Ok(()) => Ok((*found, value)),
        Err(broken) => Err(format!("`{of}.{key}` is {raw}: {broken}")),
    }
}

/// Returns the reason why a key cannot change; `None` for any other key.
fn fixed(of: &str, key: &str) -> Option<String> {
    let (.., reason) = FIXED.iter().find(|(other, fixed, _)| *other == of && *fixed == key)?;
    Some(format!("`{of}.{key}` cannot change at run time: {reason}"))
}

/// Returns the message about an unknown key: the answer to a name of another library, or the
/// nearest key.
fn unknown(of: &str, key: &str, raw: Raw<'_>) -> String {
    let keys: Vec<_> = keys(of).iter().map(|known| known.name).collect();
    let hint = hint(of, key).and_then(|hint| hint.for_setting(raw.written().as_deref()));
    let answer = match hint {
        Some((here, answer)) if keys.contains(&here) => format!("; {answer}"),
        Some((here, _)) => match fixed(of, here) {
            Some(reason) => format!("; {reason}"),
            None => answer(key, &keys),
        },
        None => answer(key, &keys),
    };
    format!("`{of}` has no setting `{}`{answer}", shown(key))
}

impl Key {
    /// Returns the form of the values in words.
    #[must_use]
    pub fn expects(&self) -> String {
        let forms: Vec<_> = self.forms.iter().map(|form| form.in_words()).collect();
        forms.join(", or ")
    }

    /// Returns all values, if each value is a word; else none.
    #[must_use]
    pub const fn choices(&self) -> &'static [&'static str] {
        match self.forms {
            [Form::Flag] => &["true", "false"],
            [Form::Words(words)] => words,
            _ => &[],
        }
    }

    /// Converts a value into the first form that fits.
    fn value(&self, raw: Raw<'_>) -> Result<Value, String> {
        let value = self.forms.iter().find_map(|form| form.value(raw));
        value.ok_or_else(|| {
            if let (Raw::Plain(text) | Raw::Text(text), true) = (raw, self.takes_times()) {
                // Only a time has a detailed answer.
                if text.starts_with(|c: char| c.is_ascii_digit()) {
                    if let Err(mistake) = duration::parse(text) {
                        return shown(&mistake);
                    }
                }
            }
            format!("expected {}, not {raw}", self.expects())
        })
    }

    fn takes_times(&self) -> bool {
        self.forms.iter().any(|form| matches!(form, Form::Time))
    }
}

impl Form {
    fn in_words(self) -> String {
        match self {
            Self::Count => format!("a whole number from 0 to {}", u32::MAX),
            Self::Number => "a number".to_owned(),
            Self::Time => "a time like \"200ms\"".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Words(words) => format!("`{}`", words.join("`, `")),
        }
    }

    fn value(self, raw: Raw<'_>) -> Option<Value> {
        match (self, raw) {
            (Self::Count, Raw::Whole(number)) => u32::try_from(number).ok().map(Value::Count),
            (Self::Count, Raw::Plain(text)) => text.trim().parse().ok().map(Value::Count),
            #[expect(clippy::cast_precision_loss, reason = "a number needs no more than 53 bits")]
            (Self::Number, Raw::Whole(number)) => Some(Value::Number(number as f64)),
            (Self::Number, Raw::Number(number)) => Some(Value::Number(number)),
            (Self::Number, Raw::Plain(text)) => text.trim().parse().ok().map(Value::Number),
            (Self::Time, Raw::Text(text) | Raw::Plain(text)) => {
                duration::parse(text).ok().map(Value::Time)
            }
            (Self::Flag, Raw::Flag(flag)) => Some(Value::Flag(flag)),
            (Self::Flag, Raw::Plain(text)) => text.trim().parse().ok().map(Value::Flag),
            (Self::Words(words), Raw::Text(text) | Raw::Plain(text)) => {
                words.iter().find(|word| **word == text.trim()).map(|word| Value::Word(word))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(of: &str, key: &str, raw: Raw<'_>) -> String {
        read(of, key, raw).expect_err("a mistake")
    }

    #[test]
    fn values_have_the_form_of_their_key() {
        let value = |of, key, raw| read(of, key, raw).map(|(_, value)| value);
        assert_eq!(value("retry", "attempts", Raw::Whole(5)), Ok(Value::Count(5)));
        assert_eq!(value("retry", "attempts", Raw::Plain("5")), Ok(Value::Count(5)));
        let unlimited = Ok(Value::Word("unlimited"));
        assert_eq!(value("retry", "attempts", Raw::Text("unlimited")), unlimited);
        assert_eq!(value("retry", "jitter", Raw::Plain("0.5")), Ok(Value::Number(0.5)));
        let time = Ok(Value::Time(Duration::from_millis(50)));
        assert_eq!(value("retry", "jitter", Raw::Text("50ms")), time);
        assert_eq!(value("circuit_breaker", "window", Raw::Whole(7)), Ok(Value::Count(7)));
        assert_eq!(value("bulkhead", "shadow", Raw::Flag(true)), Ok(Value::Flag(true)));
    }

    #[test]
    fn unknown_words_have_an_answer() {
        let one = Raw::Whole(1);
        assert_eq!(
            message("retry", "attempt", one),
            "`retry` has no setting `attempt`; did you mean `attempts`?"
        );
        assert!(message("retyr", "attempts", one).ends_with("; did you mean `retry`?"));
        assert!(message("retry", "Attempts", one).ends_with("; did you mean `attempts`?"));
        assert!(
            message("timeout", "zzzzzz", one).ends_with("; expected one of `limit`, `enabled`")
        );
        assert!(message("rate_limiter", "rate", one).ends_with("; write `rate_limit`"));
        assert!(message("fallback", "value", one).contains("cannot change at run time"));
        assert!(message("retry", "budget", one).contains("cannot change at run time"));
    }

    #[test]
    fn names_of_other_libraries_have_the_answer_of_the_attribute() {
        for (of, key, raw, answer) in [
            ("retry", "max_attempts", Raw::Whole(5), "write `attempts = 5` "),
            ("retry", "maxRetryAttempts", Raw::Whole(3), "write `attempts = 4` "),
            ("retry", "wait-duration", Raw::Text("2s"), "write `base_delay = \"2s\"` "),
            ("retry", "max_attempts", Raw::Plain("5"), "write `attempts = 5` "),
            ("retry", "wait_duration", Raw::Plain("2s"), "write `base_delay = \"2s\"` "),
            ("retry", "max_attempts", Raw::Other("a list"), "write `attempts = 4` "),
            ("retry", "max_attempts", Raw::Plain(""), "write `attempts = 4` "),
            ("retry", "max_attempts", Raw::Plain("1.2.3"), "write `attempts = 4` "),
            ("retry", "wait_duration", Raw::Text(" "), "write `base_delay = \"100ms\"` "),
            ("timeout", "duration", Raw::Text("2s"), "write `limit = \"2s\"` "),
            ("hedge", "max_attempts", Raw::Whole(2), "write `max = 1` "),
            ("circuit_breaker", "dry_run", Raw::Flag(true), "write `shadow = true` "),
            ("circuit_breaker", "max_ejected", Raw::Whole(30), "`circuit_breaker.max_open` cannot"),
            // An answer about code is no answer here.
            ("retry", "retry_on", Raw::Flag(true), "expected one of `attempts`"),
            ("retry", "exceptions", Raw::Flag(true), "expected one of `attempts`"),
        ] {
            let message = message(of, key, raw);
            let start = format!("`{of}` has no setting `{key}`; {answer}");
            assert!(message.starts_with(&start), "{message}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for (of, key, raw) in [
            ("retry", "attempts", Raw::Whole(0)),
            ("retry", "attempts", Raw::Whole(-1)),
            ("retry", "attempts", Raw::Whole(1 << 32)),
            ("retry", "attempts", Raw::Number(2.5)),
            ("retry", "attempts", Raw::Text("5")),
            ("retry", "factor", Raw::Number(f64::NAN)),
            ("retry", "factor", Raw::Plain("NaN")),
            ("retry", "factor", Raw::Number(f64::INFINITY)),
            ("retry", "jitter", Raw::Number(-0.1)),
            ("retry", "deadline", Raw::Text("0s")),
            ("retry", "base_delay", Raw::Text("-1s")),
            ("retry", "base_delay", Raw::Text("99999999999999999999d")),
            ("retry", "base_delay", Raw::Whole(5)),
            ("circuit_breaker", "failure_rate", Raw::Number(f64::NAN)),
            ("circuit_breaker", "failure_rate", Raw::Number(1.5)),
            ("circuit_breaker", "window", Raw::Whole(0)),
            ("circuit_breaker", "on_cancel", Raw::Text("maybe")),
            ("rate_limit", "per", Raw::Text("0ms")),
            ("bulkhead", "max", Raw::Other("a list")),
        ] {
            assert!(read(of, key, raw).is_err(), "{of}.{key} = {raw}");
        }
        let message = message("retry", "base_delay", Raw::Text("5"));
        assert_eq!(message, "`retry.base_delay`: missing unit: write `\"5ms\"` or `\"5s\"`");
    }
}
