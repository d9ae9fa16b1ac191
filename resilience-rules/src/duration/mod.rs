//! The syntax of durations: `250ms`, `1.5s`, `1m30s`.

mod spelling;

use std::time::Duration;

const EXAMPLE: &str = "expected a duration, like `\"250ms\"`, `\"5s\"` or `\"1m30s\"`";

/// Returns whether a text says that there is no limit, in the words of some system.
#[must_use]
pub fn is_no_limit(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["unlimited", "infinite", "infinity", "inf", "forever", "never", "none", "off"];
    WORDS.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
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

/// The place of a mistake in a text.
enum Mistake<'t> {
    /// A number and a unit, of which one is missing or wrong.
    Term(&'t str, &'t str),
    TooLong(&'t str, &'t str),
}

/// Parses `250ms`, `1.5s`, `1m30s`: numbers with units, larger units first.
///
/// # Errors
/// The mistake in words, with the fix: a missing or unknown unit, a wrong order, the spelling of
/// another system, a time that is too long.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    sum(text).map_err(|mistake| match mistake {
        Mistake::Term(number, unit) => message(text, number, unit),
        Mistake::TooLong(number, unit) => format!("`{number}{unit}` is too long for a duration"),
    })
}

/// Adds numbers with units.
fn sum(text: &str) -> Result<Duration, Mistake<'_>> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    let mut smallest = u64::MAX;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        // Both letters look alike: the micro sign and the Greek letter.
        let unit = if ["µs", "μs"].contains(&unit) { "us" } else { unit };
        let known = UNITS.iter().find(|(name, nanos)| *name == unit && *nanos < smallest);
        let (Some((_, nanos)), Ok(decimal)) = (known, number.parse::<f64>()) else {
            return Err(Mistake::Term(number, unit));
        };
        smallest = *nanos;
        total = part(number, decimal, *nanos)
            .and_then(|part| total.checked_add(part))
            .ok_or(Mistake::TooLong(number, unit))?;
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

/// Returns a text in the syntax of this crate with the meaning of `text`, which may have the
/// spelling of another system; `None` for a text without a clear meaning.
#[must_use]
pub fn respelled(text: &str) -> Option<String> {
    if parse(text).is_ok() {
        return Some(text.trim().to_owned());
    }
    let [same] = <[String; 1]>::try_from(spelling::same(text)).ok()?;
    Some(same)
}

/// Returns the message for a text with a mistake at `number` and `unit`.
fn message(text: &str, number: &str, unit: &str) -> String {
    let same: Vec<String> =
        spelling::same(text).iter().map(|same| format!("`\"{same}\"`")).collect();
    let is_known = UNITS.iter().any(|(name, _)| *name == unit);
    if !same.is_empty() {
        let mistake = match (number.is_empty() || unit.is_empty(), is_known) {
            (true, _) => "unknown form of a duration".to_owned(),
            (false, true) => format!("`{unit}` follows a smaller or equal unit"),
            (false, false) => format!("unknown unit `{unit}`"),
        };
        return format!("{mistake}; write {}", same.join(" or "));
    }
    if let Some(positive) = text.strip_prefix('-') {
        if sum(positive).is_ok() {
            return format!("a duration cannot be negative: write `\"{positive}\"`");
        }
    }
    if is_no_limit(text) {
        return format!("`{text}` is not a duration; for no limit remove it");
    }
    if let Some(before) = text.strip_suffix(number).filter(|_| unit.is_empty()) {
        let fixes = ["ms", "s"].map(|unit| format!("{before}{number}{unit}"));
        let fixes = fixes.iter().filter(|fix| sum(fix).is_ok());
        let fixes: Vec<String> = fixes.map(|fix| format!("`\"{fix}\"`")).collect();
        if !fixes.is_empty() {
            return format!("missing unit: write {}", fixes.join(" or "));
        }
    }
    if number.is_empty() || unit.is_empty() || is_known {
        return EXAMPLE.into();
    }
    format!("unknown unit `{unit}`; expected one of {}", units())
}

/// Returns the list of the units.
fn units() -> String {
    let units: Vec<String> = UNITS.iter().map(|(name, _)| format!("`{name}`")).collect();
    units.join(", ")
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
        assert_eq!(parse("7μs"), Ok(Duration::from_micros(7)));
    }

    #[test]
    fn other_spellings_with_one_meaning_are_respelled() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(respelled("1.5s"), text("1.5s"));
        assert_eq!(respelled("1min"), text("1m"));
        assert_eq!(respelled("1:30"), None);
        assert_eq!(respelled("5"), None);
    }

    #[test]
    fn messages_contain_the_fix() {
        let message = |text| parse(text).expect_err("a mistake");
        assert_eq!(message("5"), "missing unit: write `\"5ms\"` or `\"5s\"`");
        assert_eq!(message("1s500"), "missing unit: write `\"1s500ms\"`");
        let units = "`ns`, `us`, `ms`, `s`, `m`, `h`, `d`";
        let form = "unknown form of a duration";
        assert_eq!(message("5 sec"), "unknown unit `sec`; write `\"5s\"`");
        assert_eq!(message("1:30"), format!("{form}; write `\"1m30s\"` or `\"1h30m\"`"));
        assert_eq!(message("1s1m"), "`m` follows a smaller or equal unit; write `\"1m1s\"`");
        assert_eq!(message("5x"), format!("unknown unit `x`; expected one of {units}"));
        assert_eq!(message("-5s"), "a duration cannot be negative: write `\"5s\"`");
        assert_eq!(message("none"), "`none` is not a duration; for no limit remove it");
        for text in ["", "1.2.3s", "1/2s", "five seconds", "1s s"] {
            assert!(message(text).starts_with("expected a duration, like"), "{text}");
        }
        let long = "99999999999999999999d";
        assert_eq!(message(long), format!("`{long}` is too long for a duration"));
    }
}
