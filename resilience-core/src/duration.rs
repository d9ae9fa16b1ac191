//! Durations in settings, exact, and in messages, rounded for people.

use core::fmt;
use core::time::Duration;

// In nanoseconds.
const MICRO: u128 = 1_000;
const MILLI: u128 = 1_000_000;
const SECOND: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * SECOND;

/// A duration as in an attribute, without loss: `250ms`, `1m30s`, `2h`.
#[derive(Clone, Copy, Debug)]
pub struct Exact(pub Duration);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (60 * MINUTE, "h"),
            (MINUTE, "m"),
            (SECOND, "s"),
            (MILLI, "ms"),
            (MICRO, "us"),
            (1, "ns"),
        ];
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (nanos, unit) in units {
            let count = rest / nanos;
            rest %= nanos;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

/// A duration with the precision of a message: `250ms`, `1.5s`, `30s`, `5m 30s`, `24h`.
///
/// Rounded to whole nanoseconds, microseconds or milliseconds below one second, to tenths below 10
/// seconds, to whole seconds below two hours, and to whole minutes above.
#[derive(Clone, Copy, Debug)]
pub struct Rounded(pub Duration);

/// An upper bound with the precision of a message: [`Rounded`], and never below the bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundedUp(pub Duration);

impl fmt::Display for RoundedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        // The unit of the last digit.
        let unit = match nanos {
            _ if nanos < MICRO => 1,
            _ if nanos < MILLI => MICRO,
            _ if nanos < SECOND => MILLI,
            _ if nanos < 10 * SECOND => SECOND / 10,
            _ if nanos < 120 * MINUTE => SECOND,
            _ => MINUTE,
        };
        let up = u64::try_from(nanos.div_ceil(unit) * unit).map(Duration::from_nanos);
        Rounded(up.unwrap_or(self.0)).fmt(f)
    }
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let rounded = |unit: u128| (nanos + unit / 2) / unit;
        if nanos < MICRO {
            return if nanos == 0 { f.write_str("0s") } else { write!(f, "{nanos}ns") };
        }
        if rounded(MICRO) < 1000 {
            return write!(f, "{}µs", rounded(MICRO));
        }
        if rounded(MILLI) < 1000 {
            return write!(f, "{}ms", rounded(MILLI));
        }
        let (tenths, seconds) = (rounded(SECOND / 10), rounded(SECOND));
        match seconds {
            _ if tenths < 100 && tenths % 10 > 0 => write!(f, "{}.{}s", tenths / 10, tenths % 10),
            _ if tenths < 100 => write!(f, "{}s", tenths / 10),
            0..120 => write!(f, "{seconds}s"),
            120..7200 => pair(f, seconds / 60, "m", seconds % 60, "s"),
            _ => {
                let minutes = rounded(MINUTE);
                pair(f, minutes / 60, "h", minutes % 60, "m")
            }
        }
    }
}

fn pair(
    f: &mut fmt::Formatter<'_>,
    large: u128,
    large_unit: &str,
    small: u128,
    small_unit: &str,
) -> fmt::Result {
    write!(f, "{large}{large_unit}")?;
    if small > 0 { write!(f, " {small}{small_unit}") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_duration_has_every_nanosecond() {
        for (nanos, text) in [
            (0, "0s"),
            (250_000_000, "250ms"),
            (90_000_000_000, "1m30s"),
            (7_200_000_000_000, "2h"),
            (1_000_002_003, "1s2us3ns"),
        ] {
            assert_eq!(Exact(Duration::from_nanos(nanos)).to_string(), text);
        }
    }

    #[test]
    fn durations_are_rounded_for_people() {
        for (nanos, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "2µs"),
            (999_500, "1ms"),
            (250_000_000, "250ms"),
            (333_333_334, "333ms"),
            (999_499_999, "999ms"),
            (999_500_000, "1s"),
            (1_500_000_000, "1.5s"),
            (1_949_000_000, "1.9s"),
            (9_950_000_000, "10s"),
            (29_999_962_940, "30s"),
            (119_499_999_999, "119s"),
            (119_500_000_000, "2m"),
            (330_000_000_000, "5m 30s"),
            (7_200_000_000_000, "2h"),
            (86_399_000_000_000, "24h"),
            (9_030_000_000_000, "2h 31m"),
        ] {
            assert_eq!(Rounded(Duration::from_nanos(nanos)).to_string(), text);
        }
        assert_eq!(Rounded(Duration::MAX).to_string(), "5124095576030431h");
    }

    #[test]
    fn a_bound_is_never_shown_shorter() {
        for (nanos, text) in [
            (0, "0s"),
            (1_001, "2µs"),
            (250_000_000, "250ms"),
            (999_000_001, "1s"),
            (1_910_000_000, "2s"),
            (6_300_000_000, "6.3s"),
            (18_300_000_000, "19s"),
            (126_000_000_000, "2m 6s"),
            (7_200_000_000_001, "2h 1m"),
        ] {
            assert_eq!(RoundedUp(Duration::from_nanos(nanos)).to_string(), text);
        }
        assert_eq!(RoundedUp(Duration::MAX).to_string(), "5124095576030431h");
    }
}
