//! The header `grpc-timeout`: at most eight digits and a unit.
//!
//! Source: *gRPC over HTTP/2*, the rule `Timeout`.

use core::time::Duration;

const MAX: u128 = 99_999_999;

/// The units, from fine to coarse, with their nanoseconds.
const UNITS: [(char, u128); 6] = [
    ('n', 1),
    ('u', 1_000),
    ('m', 1_000_000),
    ('S', 1_000_000_000),
    ('M', 60_000_000_000),
    ('H', 3_600_000_000_000),
];

/// Returns the value of the header in the finest unit with at most eight digits, rounded down.
pub(super) fn format(time: Duration) -> String {
    let nanos = time.as_nanos();
    let unit = UNITS.iter().find(|(_, unit)| nanos / unit <= MAX);
    match unit {
        Some((letter, unit)) => format!("{}{letter}", nanos / unit),
        None => format!("{MAX}H"),
    }
}

/// Returns the time of a value, or `None` for an invalid value.
pub(super) fn parse(value: &str) -> Option<Duration> {
    let (digits, letter) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let (_, unit) = UNITS.iter().find(|(known, _)| letter.starts_with(*known))?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = digits.parse::<u128>().ok()?.saturating_mul(*unit);
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(rest).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_header_within_the_precision_of_eight_digits() {
        for (time, text) in [
            (Duration::ZERO, "0n"),
            (Duration::from_millis(50), "50000000n"),
            (Duration::from_secs(23), "23000000u"),
            (Duration::from_secs(3600), "3600000m"),
            (Duration::from_secs(1_000_000), "1000000S"),
        ] {
            assert_eq!(format(time), text);
            assert_eq!(parse(text), Some(time));
        }
        assert_eq!(format(Duration::from_nanos(123_456_789)), "123456u");
        assert!(parse(&format(Duration::MAX)) < Some(Duration::MAX));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
    }

    #[test]
    fn an_invalid_value_is_no_time() {
        for value in ["", "S", "5", "5s", "-1S", "+1S", "1.5S", "123456789n", "5SS", " 5S", "5é"] {
            assert_eq!(parse(value), None, "{value:?}");
        }
    }
}
