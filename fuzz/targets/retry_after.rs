//! `Retry-After`: no value makes the parser panic, digits are seconds, and a date that was parsed is in a bounded range.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use resilience::http::RetryAfter;

fuzz_target!(|value: &[u8]| {
    let parsed = RetryAfter::parse(value);
    let digits = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(Ok(seconds)) = digits.map(str::parse::<u64>) {
        let expected = RetryAfter::Delay(Duration::from_secs(seconds));
        assert!(parsed == Some(expected), "{parsed:?} instead of {expected:?}");
    }
    if let Some(parsed) = parsed {
        for now in [SystemTime::UNIX_EPOCH, SystemTime::now()] {
            let _delay = parsed.delay(now);
        }
    }
});
