//! The limits of live settings are the limits of the attributes.

use std::panic::{UnwindSafe, catch_unwind};
use std::time::Duration;

use resilience::__private::check;
use resilience::control;

use crate::{alone, every};

const WHOLE: [u32; 9] = [0, 1, 2, 3, 5, 100, 10_000, 1_000_000_000, u32::MAX];

const NUMBERS: [f64; 10] = [f64::NAN, f64::INFINITY, -1.0, -0.0, 1e-9, 0.5, 1.0, 1.001, 7.0, 1e9];

const TIMES: [(&str, Duration); 7] = [
    ("0s", Duration::ZERO),
    ("1ns", Duration::from_nanos(1)),
    ("999us", Duration::from_micros(999)),
    ("1ms", Duration::from_millis(1)),
    ("1m", Duration::from_secs(60)),
    ("1h", Duration::from_secs(3600)),
    ("365d", Duration::from_secs(365 * 86_400)),
];

/// Returns the compile error of an attribute, where the check is a constant.
fn compile_error<T>(check: impl FnOnce() -> T + UnwindSafe) -> Option<String> {
    let panic = catch_unwind(|| drop(check())).err()?;
    Some(*panic.downcast::<String>().expect("a message"))
}

/// Sets a value, and compares the error with that of the attribute.
fn compare(path: &str, value: &str, compile_error: Option<&str>) {
    let control = || control(every::policy(path));
    let error = match control().set(path, value) {
        Ok(_) => {
            control().unset(path).expect("a live value");
            None
        }
        Err(error) => Some(error.to_string()),
    };
    match (compile_error, error) {
        (Some(expected), error) => {
            // A live setting has the value beside the key.
            let error = error.unwrap_or_default().replace(&format!(" ({value})"), "");
            assert!(error.contains(expected), "{path} = {value}: {expected:?}, {error:?}");
        }
        // Together with another setting of the policy, a value within its limits may be refused.
        (None, Some(error)) => {
            assert!(!error.starts_with(&format!("`{path}` is")), "{path} = {value}: {error}");
        }
        (None, None) => {}
    }
}

macro_rules! compare_all {
    ($values:expr, $text:expr, $value:expr; $($path:literal: $check:ident),* $(,)?) => {
        for given in $values {
            let (text, value) = ($text(given), $value(given));
            $(compare($path, &text, compile_error(|| check::$check(value)).as_deref());)*
        }
    };
}

#[test]
fn live_settings_have_the_limits_of_the_attributes() {
    let _alone = alone();
    every::list();
    compare_all! {
        WHOLE, |number: u32| number.to_string(), |number| number;
        "retry.attempts": attempts,
        "circuit_breaker.failure_threshold": failure_threshold,
        "circuit_breaker.success_threshold": success_threshold,
        "circuit_breaker.window": window,
        "bulkhead.max": max,
        "rate_limit.rate": rate,
        "rate_limit.burst": burst,
    }
    compare_all! {
        NUMBERS, |number: f64| number.to_string(), |number| number;
        "retry.factor": factor,
        "circuit_breaker.failure_rate": failure_rate,
        "circuit_breaker.slow_rate": slow_rate,
        "circuit_breaker.jitter": open_jitter,
    }
    compare_all! {
        TIMES, |(text, _): (&'static str, Duration)| text.to_owned(), |(_, time)| time;
        "retry.deadline": deadline,
        "circuit_breaker.window": window_time,
        "circuit_breaker.reset_timeout": reset_timeout,
        "circuit_breaker.recovery": recovery,
        "rate_limit.per": per,
        "hedge.after": after,
        "hedge.warm_up": warm_up,
    }
}
