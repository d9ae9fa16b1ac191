//! Spellings of durations in other systems, for the fix in a message: `5 sec`, `1:30`, `1,5s`,
//! `PT30S`.

use std::time::Duration;

use super::{UNITS, part, sum};
use crate::invalid::Written;

/// Further units, each with a number of a unit of this crate.
const UNITS_ELSEWHERE: &[(&str, u64, &str)] = &[
    ("nanos", 1, "ns"),
    ("nanosecond", 1, "ns"),
    ("nanoseconds", 1, "ns"),
    ("usec", 1, "us"),
    ("micros", 1, "us"),
    ("microsecond", 1, "us"),
    ("microseconds", 1, "us"),
    ("msec", 1, "ms"),
    ("msecs", 1, "ms"),
    ("milli", 1, "ms"),
    ("millis", 1, "ms"),
    ("millisecond", 1, "ms"),
    ("milliseconds", 1, "ms"),
    ("sec", 1, "s"),
    ("secs", 1, "s"),
    ("second", 1, "s"),
    ("seconds", 1, "s"),
    ("min", 1, "m"),
    ("mins", 1, "m"),
    ("minute", 1, "m"),
    ("minutes", 1, "m"),
    ("hr", 1, "h"),
    ("hrs", 1, "h"),
    ("hour", 1, "h"),
    ("hours", 1, "h"),
    ("day", 1, "d"),
    ("days", 1, "d"),
    ("w", 7, "d"),
    ("week", 7, "d"),
    ("weeks", 7, "d"),
];

/// Returns the texts of this crate that may mean the same duration: most texts have one meaning.
pub(super) fn same(text: &str) -> Vec<String> {
    let text = text.trim().to_lowercase();
    let same: Vec<Option<String>> = readings(&text).iter().map(|text| canonical(text)).collect();
    same.into_iter().collect::<Option<_>>().unwrap_or_default()
}

/// Returns the meanings of a text in lower case, as numbers with units.
fn readings(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [first, second] => return vec![format!("{first}m{second}s"), format!("{first}h{second}m")],
        [hours, minutes, seconds] => return vec![format!("{hours}h{minutes}m{seconds}s")],
        _ => {}
    }
    // ISO 8601. Months and years have no fixed length.
    if let Some((date, time)) =
        text.strip_prefix('p').map(|iso| iso.split_once('t').unwrap_or((iso, "")))
    {
        let is_fixed = !date.contains(['m', 'y']);
        return if is_fixed { vec![format!("{date}{time}")] } else { Vec::new() };
    }
    let text = text.replace(" and ", " ").replace(", ", " ").replace('_', "");
    match text.split_once(',') {
        None => vec![text],
        // A comma before three digits separates thousands in some languages.
        Some((whole, rest)) if rest.bytes().take_while(u8::is_ascii_digit).count() == 3 => {
            vec![format!("{whole}{rest}"), format!("{whole}.{rest}")]
        }
        Some((whole, rest)) => vec![format!("{whole}.{rest}")],
    }
}

/// Returns numbers with units in the syntax of this crate. Units in another order, and a unit that
/// stands twice, are added up.
fn canonical(text: &str) -> Option<String> {
    let (mut rest, mut terms, mut total) = (text, String::new(), Duration::ZERO);
    loop {
        let (number, after) = number(rest);
        let after = after.trim_start();
        let letters = after.find(|char: char| !char.is_alphabetic()).unwrap_or(after.len());
        let (name, after) = after.split_at(letters);
        let (number, unit) = match UNITS_ELSEWHERE.iter().find(|(known, ..)| *known == name) {
            Some((_, 1, unit)) => (number.to_owned(), *unit),
            Some((_, many, unit)) => {
                ((number.parse::<u64>().ok()?.checked_mul(*many)?).to_string(), *unit)
            }
            None => (number.to_owned(), name),
        };
        // `0:01:30` has leading zeros.
        let number = number.parse::<u64>().map_or(number, |number| number.to_string());
        let (_, nanos) = UNITS.iter().find(|(known, _)| *known == unit)?;
        total = total.checked_add(part(&number, number.parse().ok()?, *nanos)?)?;
        if number != "0" {
            terms = format!("{terms}{number}{unit}");
        }
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
    }
    if sum(&terms).is_ok() {
        return Some(terms);
    }
    let total = Written(total).to_string();
    sum(&total).is_ok().then_some(total)
}

/// Separates a number, with an exponent, from the text behind it.
fn number(text: &str) -> (&str, &str) {
    let is_digit = |char: char| char.is_ascii_digit() || char == '.';
    let end = |text: &str| text.find(|char| !is_digit(char)).unwrap_or(text.len());
    let length = end(text);
    let exponent = text.get(length..).and_then(|rest| rest.strip_prefix('e')).map_or(0, end);
    text.split_at(if exponent > 0 { length + 1 + exponent } else { length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_other_systems_have_a_text_with_the_same_meaning() {
        let one = |text: &str, expected: &str| assert_eq!(same(text), [expected], "{text}");
        one("5 sec", "5s");
        one("5S", "5s");
        one("1 min 30 sec", "1m30s");
        one("1 hour and 5 minutes", "1h5m");
        one("1m, 30s", "1m30s");
        one("0:01:30", "1m30s");
        one("1,5s", "1.5s");
        one("PT1M30S", "1m30s");
        one("P1DT12H", "1d12h");
        one("PT0.5S", "0.5s");
        one("1_000ms", "1000ms");
        one("2w", "14d");
        one("500ms1s", "1.5s");
        one("1m 1m", "2m");
        one("1e3ms", "1s");
    }

    #[test]
    fn a_text_with_two_meanings_has_two() {
        assert_eq!(same("1:30"), ["1m30s", "1h30m"]);
        assert_eq!(same("1,500ms"), ["1500ms", "1.500ms"]);
    }

    #[test]
    fn other_texts_have_none() {
        for text in [
            "",
            "five seconds",
            "1/2s",
            "P1M",
            "s5",
            "1s500",
            "5x",
            "1.2.3s",
            "999999999999999999w",
        ] {
            assert_eq!(same(text), [] as [&str; 0], "{text}");
        }
    }
}
