//! The settings in use of a retry.

use core::time::Duration;

use resilience_rules::settings::Value;

use super::figures::{self, repeats};
use super::policy::{DEFAULT_NAME, Limits, RetryPolicy};
use crate::backoff::{Backoff, Schedule};
use crate::jitter::Jitter;
use crate::mode;
use crate::registry::Record;
use crate::registry::facts::Facts;
use crate::settings::{Adjustable, Overrides, Put as _, Refusal};

/// The settings of the code.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryCode {
    pub(super) limits: Limits,
    /// `None` with a backoff of the user's.
    pub(super) schedule: Option<Schedule>,
}

/// Returns the overridden settings; `None` without an override.
#[cold]
pub(super) fn overridden(
    record: &Record,
    limits: &Limits,
    backoff: &dyn Backoff,
) -> Option<RetryCode> {
    let overrides = record.overrides()?;
    let code = RetryCode { limits: *limits, schedule: backoff.schedule() };
    code.adjusted(&overrides).ok()
}

/// Returns the time of a setting that the function has in the code.
#[cold]
pub(super) fn overridden_time<B: Backoff>(
    policy: &RetryPolicy<B>,
    key: &str,
    time: Duration,
) -> Duration {
    let record = figures::record(policy, DEFAULT_NAME);
    let mut time = time;
    if let Some(overrides) = record.overrides() {
        if let Some(value) = overrides.get(key) {
            value.put(&mut time);
        }
    }
    time
}

/// Returns the limit of the attempts in use.
#[cold]
pub(super) fn attempts<B: Backoff>(policy: &RetryPolicy<B>) -> Option<u32> {
    let RetryPolicy { limits, backoff } = policy;
    let live = if mode::has_settings() {
        overridden(figures::record(policy, DEFAULT_NAME), limits, backoff)
    } else {
        None
    };
    live.map_or(*limits, |code| code.limits).attempts()
}

impl Adjustable for RetryCode {
    fn adjusted(&self, overrides: &Overrides) -> Result<Self, Refusal> {
        let Self { mut limits, schedule } = *self;
        let is_list = schedule.is_some_and(|schedule| schedule.delays().is_some());
        let mut backoff = schedule;
        limits.enabled = overrides.is_enabled();
        for (key, value) in overrides.iter() {
            let fixed = |reason| Err(Refusal::Fixed(key, reason));
            match (key, value) {
                ("attempts", Value::Word(_)) => limits.attempts = None,
                ("attempts", _) => value.put(&mut limits.attempts),
                ("initial_delay", _) if self.limits.initial_delay.is_none() => {
                    return fixed("the function has no `initial_delay` in the code");
                }
                ("initial_delay", _) => value.put(&mut limits.initial_delay),
                ("deadline", _) if self.limits.deadline.is_none() => {
                    return fixed(
                        "the function has no `deadline` in the code, so its calls read no clock at \
                         the start",
                    );
                }
                ("deadline", _) => value.put(&mut limits.deadline),
                ("base_delay" | "factor", _) if schedule.is_none() => {
                    return fixed("the backoff is code of the program");
                }
                ("base_delay" | "factor", _) if is_list => {
                    return fixed("the delays are a list in the code");
                }
                ("base_delay", Value::Time(time)) => {
                    backoff = backoff.map(|backoff| backoff.base_delay(time));
                }
                ("factor", Value::Number(factor)) => {
                    backoff = backoff.map(|backoff| backoff.factor(factor));
                }
                ("max_delay", _) => value.put(&mut limits.max_delay),
                ("max_retry_after", _) => value.put(&mut limits.max_retry_after),
                ("jitter", Value::Word(word)) => limits.jitter = Some(jitter(word)),
                ("jitter", Value::Number(ratio)) => limits.jitter = Some(Jitter::Ratio(ratio)),
                ("jitter", Value::Time(width)) => limits.jitter = Some(Jitter::UpTo(width)),
                _ => {}
            }
        }
        match backoff {
            Some(backoff) => RetryPolicy { limits, backoff }.validate()?,
            None => limits.validate()?,
        }
        Ok(Self { limits, schedule: backoff })
    }

    fn facts(&self) -> Option<Facts> {
        Some(Facts::Repeats(repeats(&self.limits, self.schedule)))
    }
}

fn jitter(word: &str) -> Jitter {
    match word {
        "none" => Jitter::None,
        "equal" => Jitter::Equal,
        "decorrelated" => Jitter::Decorrelated,
        _ => Jitter::Full,
    }
}
