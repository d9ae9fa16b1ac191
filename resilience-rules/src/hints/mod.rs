//! Names of other libraries for keys, such as `max_attempts`, each with an answer: for compile
//! errors, and for mistakes in settings.

mod bulkhead;
mod circuit_breaker;
mod coalesce;
mod fallback;
mod hedge;
mod idempotent;
mod rate_limit;
mod retry;
mod timeout;

/// The answer to a name of another library.
#[derive(Clone, Copy, Debug)]
pub enum Hint {
    /// The key of this crate with the same value; an example; the meaning.
    Same(&'static str, &'static str, &'static str),
    /// The key of this crate for a share, in place of a percentage; an example; the meaning.
    Share(&'static str, &'static str, &'static str),
    /// The key of this crate, with a count higher by 1; the meaning.
    More(&'static str, &'static str),
    /// The key of this crate, with a count lower by 1; the meaning.
    Fewer(&'static str, &'static str),
    /// A complete answer for the attribute; for settings the key, an example and the meaning.
    Unkeyed(&'static str, &'static str, &'static str, &'static str),
    /// A complete answer for the attribute.
    Other(&'static str),
}

/// The hints of all attributes, by name.
const ATTRIBUTES: &[(&str, &[(&str, Hint)])] = &[
    ("retry", retry::HINTS),
    ("circuit_breaker", circuit_breaker::HINTS),
    ("timeout", timeout::HINTS),
    ("bulkhead", bulkhead::HINTS),
    ("rate_limit", rate_limit::HINTS),
    ("fallback", fallback::HINTS),
    ("coalesce", coalesce::HINTS),
    ("hedge", hedge::HINTS),
    ("idempotent", idempotent::HINTS),
];

/// Names of other libraries for attributes. `nearest` finds `circuitBreaker` and `rateLimit`.
const NAMES: &[(&str, &str)] = &[
    ("breaker", "circuit_breaker"),
    ("concurrency_limiter", "bulkhead"),
    ("hedging", "hedge"),
    ("rate_limiter", "rate_limit"),
    ("thread_pool_bulkhead", "bulkhead"),
    ("time_limiter", "timeout"),
];

/// Returns the answer to a name of another library for a key of an attribute. Names in camel case
/// and with hyphens are found as well.
#[must_use]
pub fn hint(attribute: &str, name: &str) -> Option<Hint> {
    let (_, hints) = ATTRIBUTES.iter().find(|(known, _)| *known == attribute)?;
    find(hints, name)
}

/// Returns the attribute for a name of another library.
#[must_use]
pub fn attribute(name: &str) -> Option<&'static str> {
    find(NAMES, name)
}

fn find<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    let name = snake_case(name);
    names.iter().find(|(known, _)| *known == name).map(|(_, found)| *found)
}

/// Returns `maxAttempts`, `MaxAttempts` and `max-attempts` as `max_attempts`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut is_in_word = false;
    for char in name.chars() {
        if char.is_uppercase() && is_in_word {
            snake.push('_');
        }
        is_in_word = char.is_lowercase();
        match char {
            '-' => snake.push('_'),
            char => snake.extend(char.to_lowercase()),
        }
    }
    snake
}

impl Hint {
    /// Returns the answer for an attribute. `written` is the value as in the code; `None` for a
    /// value of another form.
    #[must_use]
    pub fn for_attribute(self, written: Option<&str>) -> String {
        match self {
            Self::Other(message) | Self::Unkeyed(message, ..) => message.to_owned(),
            _ => self.for_setting(written).map(|(_, message)| message).unwrap_or_default(),
        }
    }

    /// Returns the key and the answer for a setting; `None` if the key belongs to code.
    #[must_use]
    pub fn for_setting(self, written: Option<&str>) -> Option<(&'static str, String)> {
        let count = || written.and_then(|value| value.parse::<u32>().ok());
        let (key, value, note) = match self {
            Self::Same(key, example, note) | Self::Unkeyed(_, key, example, note) => {
                // A value of another kind, such as a number for a time, is no value here
                // either. The text of a closure has spaces that nobody writes.
                let fits = |value: &&str| {
                    value.starts_with('"') == example.starts_with('"') && !value.contains('|')
                };
                (key, written.filter(fits).unwrap_or(example).to_owned(), note)
            }
            Self::Share(key, example, note) => {
                let share = written.and_then(|value| value.parse().ok()).and_then(as_share);
                (key, share.map_or_else(|| example.to_owned(), |share| share.to_string()), note)
            }
            Self::More(key, note) => {
                (key, count().unwrap_or(3).saturating_add(1).to_string(), note)
            }
            Self::Fewer(key, note) => {
                (key, count().unwrap_or(2).saturating_sub(1).max(1).to_string(), note)
            }
            Self::Other(_) => return None,
        };
        Some((key, format!("write `{key} = {value}` ({note})")))
    }
}

/// Returns a number as a share from 0 to 1. Numbers above 1 are percentages.
#[must_use]
pub fn as_share(number: f64) -> Option<f64> {
    match number {
        _ if number > 0.0 && number <= 1.0 => Some(number),
        _ if number > 1.0 && number <= 100.0 => Some(number / 100.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::settings;

    #[test]
    fn each_name_is_listed_once_in_snake_case_and_is_no_setting() {
        for (attribute, hints) in ATTRIBUTES {
            let mut names = BTreeSet::new();
            for (name, _) in *hints {
                assert_eq!(snake_case(name), *name, "{attribute}");
                assert!(names.insert(name), "{attribute}: {name}");
                let is_setting = settings::keys(attribute).iter().any(|key| key.name == *name);
                assert!(!is_setting, "{attribute}: {name}");
            }
        }
    }

    #[test]
    fn names_of_other_libraries_are_found_in_each_notation() {
        for name in ["max_attempts", "maxAttempts", "MaxAttempts", "max-attempts", "MAX_ATTEMPTS"] {
            assert!(matches!(hint("retry", name), Some(Hint::Same("attempts", ..))), "{name}");
        }
        assert!(hint("retry", "attempts").is_none());
        assert!(hint("function", "max_attempts").is_none());
        assert_eq!(attribute("rateLimiter"), Some("rate_limit"));
        assert_eq!(attribute("rate_limit"), None);
    }

    #[test]
    fn answers_repeat_the_value() {
        let answer = |attribute, name, value| {
            let hint = hint(attribute, name).expect("a known name");
            hint.for_attribute(Some(value))
        };
        let total = "(total calls, the first included)";
        assert_eq!(answer("retry", "max_attempts", "5"), format!("write `attempts = 5` {total}"));
        assert_eq!(answer("retry", "max_retries", "5"), format!("write `attempts = 6` {total}"));
        assert!(
            answer("retry", "wait_duration", "\"2s\"").starts_with("write `base_delay = \"2s\"`")
        );
        assert!(
            answer("retry", "wait_duration", "500").starts_with("write `base_delay = \"100ms\"`")
        );
        let rate = answer("circuit_breaker", "failure_rate_threshold", "50");
        assert!(rate.starts_with("write `failure_rate = 0.5`"), "{rate}");
        assert_eq!(
            answer("hedge", "max_attempts", "3"),
            "write `max = 2` (attempts beside the first)"
        );
        assert!(answer("hedge", "max_attempts", "1").starts_with("write `max = 1`"));
    }
}
