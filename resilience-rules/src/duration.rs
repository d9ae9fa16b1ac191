//! The syntax of durations: `250ms`, `1.5s`, `1m30s`.

use std::time::Duration;

/// The message for a number without a unit.
#[must_use]
pub fn unit_missing(number: &str) -> String {
    format!("missing unit: write `\"{number}ms\"` or `\"{number}s\"`")
}

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

/// Alternative spellings of the units.
const SYNONYMS: &[(&str, &str)] = &[
    ("msec", "ms"),
    ("millis", "ms"),
    ("usec", "us"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
];

/// Parses `250ms`, `1.5s`, `1m30s`: numbers with units, larger units first.
///
/// # Errors
/// The mistake in words: a missing or unknown unit, a wrong order, a time that is too long.
pub fn parse(text: &str) -> Result<Duration, String> {
    let example = "expected a duration, like `\"250ms\"`, `\"5s\"` or `\"1m30s\"`";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(example.into());
    }
    let mut total = Duration::ZERO;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(example.into());
        }
        if unit.is_empty() {
            return Err(unit_missing(number));
        }
        let unit = if unit == "µs" { "us" } else { unit };
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let other = SYNONYMS.iter().find(|(name, _)| *name == unit);
            if let Some((_, known)) = other {
                return Err(format!("unknown unit `{unit}`; write `\"{number}{known}\"`"));
            }
            let units = UNITS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("`, `");
            return Err(format!("unknown unit `{unit}`; expected one of `{units}`"));
        };
        if *nanos >= smallest {
            return Err(format!("`{unit}` follows a smaller or equal unit; {example}"));
        }
        smallest = *nanos;
        let Ok(decimal) = number.parse::<f64>() else { return Err(example.into()) };
        total = part(number, decimal, *nanos)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| format!("`{number}{unit}` is too long for a duration"))?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// Returns `number` times a unit of `nanos` nanoseconds, exact for whole numbers. `decimal` is the
/// value of `number`.
fn part(number: &str, decimal: f64, nanos: u64) -> Option<Duration> {
    if let Ok(whole) = number.parse::<u64>() {
        let total = u128::from(whole) * u128::from(nanos);
        let seconds = u64::try_from(total / 1_000_000_000).ok()?;
        return Some(Duration::new(seconds, u32::try_from(total % 1_000_000_000).ok()?));
    }
    Duration::try_from_secs_f64(decimal * Duration::from_nanos(nanos).as_secs_f64()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse(" 1m 30s "), Ok(Duration::from_secs(90)));
        assert_eq!(parse("7µs"), Ok(Duration::from_micros(7)));
    }

    #[test]
    fn messages_contain_the_fix() {
        let message = |text| parse(text).expect_err("a mistake");
        assert_eq!(message("5"), "missing unit: write `\"5ms\"` or `\"5s\"`");
        assert_eq!(message("5 sec"), "unknown unit `sec`; write `\"5s\"`");
        assert!(message("5x").starts_with("unknown unit `x`; expected one of `ns`, `us`"));
        assert!(message("1s1m").starts_with("`m` follows a smaller or equal unit; expected"));
        assert!(message("").starts_with("expected a duration, like"));
        assert!(message("1.2.3s").starts_with("expected a duration, like"));
        let long = "99999999999999999999d";
        assert_eq!(message(long), format!("`{long}` is too long for a duration"));
    }
}
