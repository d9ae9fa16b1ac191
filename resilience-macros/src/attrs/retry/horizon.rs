//! For how long a call goes on trying, as far as its keys tell.

use std::time::Duration;

use super::keys::{Attempts, Backoff, Keys};
use crate::args::Keyed;
use crate::value::Constant;

/// The deadline; without one, the waits between the attempts, without their jitter. None where that depends on
/// what is no literal.
pub(super) fn of(keys: &Keys) -> Option<Duration> {
    if let Some(Keyed { value: deadline, .. }) = &keys.deadline {
        return deadline.literal().copied();
    }
    let attempts = match keys.attempts.as_ref().map(|keyed| &keyed.value) {
        None => 3,
        Some(Attempts::Count(count)) => *count.literal()?,
        Some(Attempts::Unlimited) => return None,
    };
    let base = match &keys.base_delay {
        None => Duration::from_millis(100),
        Some(Keyed { value: base, .. }) => *base.literal()?,
    };
    let max = match &keys.max_delay {
        None => None,
        Some(Keyed { value: max, .. }) => Some(*max.literal()?),
    };
    let growth = match keys.backoff.as_ref().map(|keyed| &keyed.value) {
        None => "exponential",
        Some(Backoff::Named(growth)) => growth,
        Some(Backoff::List(delays)) => return listed(delays, max, attempts),
        Some(Backoff::Custom(_)) => return None,
    };
    let factor = match &keys.factor {
        None => 2.0,
        Some(Keyed { value: factor, .. }) => *factor.literal()?,
    };
    let longest = max.unwrap_or_else(|| base.max(Duration::from_secs(10)));
    let (mut total, mut before, mut share) = (Duration::ZERO, 0.0, 1.0);
    for wait in 1..attempts {
        let delay = Duration::try_from_secs_f64(base.as_secs_f64() * share);
        let delay = delay.unwrap_or(Duration::MAX).min(longest);
        if delay == longest || growth == "fixed" {
            return Some(total.saturating_add(delay.saturating_mul(attempts - wait)));
        }
        if wait > MOST {
            return None;
        }
        total = total.saturating_add(delay);
        (before, share) = match growth {
            "linear" => (share, share + 1.0),
            "fibonacci" => (share, share + before),
            _ => (share, share * factor),
        };
    }
    Some(total)
}

/// After so many waits that still grow, nobody adds them up.
const MOST: u32 = 10_000;

/// The last of a list repeats.
fn listed(delays: &[Constant<Duration>], max: Option<Duration>, attempts: u32) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut left = attempts.saturating_sub(1);
    for (index, delay) in delays.iter().enumerate() {
        let times = if index + 1 == delays.len() { left } else { left.min(1) };
        let delay = delay.literal()?.min(max.as_ref().unwrap_or(&Duration::MAX));
        total = total.saturating_add(delay.saturating_mul(times));
        left = left.saturating_sub(times);
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use quote::quote;

    use super::*;
    use crate::args::Args;
    use crate::diagnostics::Errors;

    fn horizon(args: &proc_macro2::TokenStream) -> Option<Duration> {
        let mut errors = Errors::at(Span::call_site());
        of(&Keys::read(&mut Args::unchecked(args), &mut errors))
    }

    #[test]
    fn the_waits_add_up() {
        let secs = |secs| Some(Duration::from_secs(secs));
        assert_eq!(horizon(&quote!()), Some(Duration::from_millis(300)));
        assert_eq!(horizon(&quote!(attempts = 1)), secs(0));
        assert_eq!(horizon(&quote!(attempts = 6, base_delay = "1s")), secs(1 + 2 + 4 + 8 + 10));
        assert_eq!(horizon(&quote!(attempts = 4, base_delay = "1s", factor = 3)), secs(1 + 3 + 9));
        let grown =
            |growth: &str| horizon(&quote!(attempts = 6, base_delay = "1s", backoff = #growth));
        assert_eq!(grown("fixed"), secs(5));
        assert_eq!(grown("linear"), secs(1 + 2 + 3 + 4 + 5));
        assert_eq!(grown("fibonacci"), secs(1 + 1 + 2 + 3 + 5));
        assert_eq!(horizon(&quote!(attempts = 3, base_delay = "1m")), secs(120));
        assert_eq!(horizon(&quote!(attempts = 4, backoff = ["1s", "20s"])), secs(41));
        assert_eq!(
            horizon(&quote!(attempts = 4, backoff = ["1s", "20s"], max_delay = "5s")),
            secs(11)
        );
        assert_eq!(horizon(&quote!(attempts = 9, deadline = "1m")), secs(60));
    }

    #[test]
    fn what_is_no_literal_tells_nothing() {
        assert_eq!(horizon(&quote!(deadline = LONG)), None);
        assert_eq!(horizon(&quote!(attempts = MANY)), None);
        assert_eq!(horizon(&quote!(attempts = "unlimited")), None);
        assert_eq!(horizon(&quote!(base_delay = LONG)), None);
        assert_eq!(horizon(&quote!(max_delay = LONG)), None);
        assert_eq!(horizon(&quote!(factor = GROWTH)), None);
        assert_eq!(horizon(&quote!(backoff = own)), None);
        assert_eq!(horizon(&quote!(backoff = ["1s", LONG])), None);
        let endless = quote!(attempts = 4_000_000_000, base_delay = "0s", backoff = "linear");
        assert_eq!(horizon(&endless), None);
    }
}
