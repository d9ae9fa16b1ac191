//! Answers to unknown keys.

use quote::ToTokens;

use crate::args::Value;

/// The answer to a foreign name for a key.
#[derive(Clone, Copy)]
pub(crate) enum Hint {
    /// The key of this crate with the same value; an example; the meaning.
    Same(&'static str, &'static str, &'static str),
    /// The key of this crate for a share, in place of a percentage; an example; the meaning.
    Share(&'static str, &'static str, &'static str),
    /// The key of this crate, with a count higher by 1; the meaning.
    More(&'static str, &'static str),
    /// A complete answer.
    Other(&'static str),
}

impl Hint {
    pub(crate) fn message(self, value: &Value) -> String {
        let written = match value {
            Value::Expr(value) => Some(value.to_token_stream().to_string()),
            Value::Bare | Value::Names(_) | Value::List(_) => None,
        };
        match self {
            Self::Same(key, example, note) => {
                // A value of another kind, such as a number for a time, is no value here
                // either. The text of a closure has spaces that nobody writes.
                let quoted = |value: &&str| {
                    value.starts_with('"') == example.starts_with('"') && !value.contains('|')
                };
                let value = written.as_deref().filter(quoted).unwrap_or(example);
                format!("write `{key} = {value}` ({note})")
            }
            Self::Share(key, example, note) => {
                let share = written.and_then(|value| value.parse().ok()).and_then(as_share);
                let value = share.map_or_else(|| example.to_owned(), |share| share.to_string());
                format!("write `{key} = {value}` ({note})")
            }
            Self::More(key, note) => {
                let value = written.and_then(|value| value.parse::<u32>().ok()).unwrap_or(3);
                format!("write `{key} = {}` ({note})", value.saturating_add(1))
            }
            Self::Other(message) => message.to_owned(),
        }
    }
}

/// Returns a number as a share from 0 to 1. Numbers above 1 are percentages.
pub(crate) fn as_share(number: f64) -> Option<f64> {
    match number {
        _ if number > 0.0 && number <= 1.0 => Some(number),
        _ if number > 1.0 && number <= 100.0 => Some(number / 100.0),
        _ => None,
    }
}
