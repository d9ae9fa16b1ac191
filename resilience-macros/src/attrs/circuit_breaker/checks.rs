//! What must hold between the keys, and of each: for literals, in the words of the runtime's `rules`.

use std::time::Duration;

use syn::Signature;

use super::keys::{Keys, RESET_TIMEOUT, Window};
use crate::args::Keyed;
use crate::diagnostics::Errors;
use crate::hint::as_share;
use crate::state_source::check_generics;
use crate::value::Constant;

impl Keys {
    /// The rules for literals, and the keys that need each other.
    pub(super) fn check(&self, errors: &mut Errors) {
        at_least_one(
            self.failure_threshold.as_ref(),
            "`failure_threshold` must be at least 1, or it would be open from the start",
            errors,
        );
        at_least_one(
            self.success_threshold.as_ref(),
            "`success_threshold` must be at least 1: something has to close the circuit",
            errors,
        );
        share("failure_rate", self.failure_rate.as_ref(), errors);
        share("slow_rate", self.slow_rate.as_ref(), errors);
        if let (Some(slow), None) = (&self.slow_rate, &self.slow_call) {
            errors.add(&slow.key, "`slow_rate` needs to know what is slow: `slow_call = \"2s\"`");
        }
        at_least_one(
            self.min_calls.as_ref(),
            "`min_calls` must be at least 1: of no calls there is no rate",
            errors,
        );
        let rated = self.failure_rate.is_some() || self.slow_call.is_some();
        if let (Some(min), false) = (&self.min_calls, rated) {
            errors.add(
                &min.key,
                "`min_calls` is for a rate: say which, `failure_rate = 0.5`, or leave it away",
            );
        }
        if let (Some(window), false, None) = (&self.window, rated, &self.failure_threshold) {
            errors.add(
                &window.key,
                "`window` needs to know what opens the circuit: `failure_rate = 0.5`, or \
                 `failure_threshold = 5`",
            );
        }
        self.check_window(errors);
        self.check_times(errors);
        let probes = literal(self.half_open_calls.as_ref());
        let successes = literal(self.success_threshold.as_ref()).unwrap_or(1).max(1);
        if let (Some(keyed), Some(probes)) = (&self.half_open_calls, probes) {
            if probes < successes {
                errors.add(
                    &keyed.value,
                    "`half_open_calls` is less than `success_threshold`, so the circuit could never \
                     close",
                );
            }
        }
    }

    fn check_window(&self, errors: &mut Errors) {
        match self.window.as_ref().map(|keyed| &keyed.value) {
            Some(Window::Calls(size)) => {
                let Some(calls) = size.literal().copied() else { return };
                if !(1..=100_000).contains(&calls) {
                    errors.add(
                        size,
                        "`window` is a number of calls from 1 to 100000; for more write a time, like \
                         `\"10s\"`",
                    );
                    return;
                }
                let over = |keyed: &Option<Keyed<Constant<u32>>>| {
                    literal(keyed.as_ref()).is_some_and(|count| count > calls)
                };
                if let (Some(keyed), true) =
                    (&self.failure_threshold, over(&self.failure_threshold))
                {
                    errors.add(
                        &keyed.value,
                        "`failure_threshold` is more than `window` holds, so the circuit would never \
                         open",
                    );
                }
                if let (Some(keyed), true) = (&self.min_calls, over(&self.min_calls)) {
                    errors.add(
                        &keyed.value,
                        "`min_calls` is more than `window` holds, so no rate would ever count",
                    );
                }
            }
            Some(Window::Time(length)) if length.literal().is_some_and(Duration::is_zero) => {
                errors.add(length, "`window` is zero, so no call would ever be in it");
            }
            _ => {}
        }
    }

    fn check_times(&self, errors: &mut Errors) {
        let first = literal(self.reset_timeout.as_ref());
        if let (Some(keyed), Some(Duration::ZERO)) = (&self.reset_timeout, first) {
            errors.add(&keyed.value, "`reset_timeout` is zero, so the circuit would never be open");
        }
        let max = literal(self.max_reset_timeout.as_ref());
        let first = match &self.reset_timeout {
            None => Some(RESET_TIMEOUT),
            Some(_) => first,
        };
        if let (Some(keyed), Some(true)) =
            (&self.max_reset_timeout, first.zip(max).map(|(first, max)| first > max))
        {
            let default = match self.reset_timeout {
                Some(_) => "",
                None => ", which is 30s where it is not given,",
            };
            errors.add(
                &keyed.value,
                format!(
                    "`reset_timeout`{default} is longer than `max_reset_timeout`, so the open time \
                     could not grow"
                ),
            );
        }
        if let (Some(keyed), Some(Duration::ZERO)) =
            (&self.slow_call, literal(self.slow_call.as_ref()))
        {
            errors.add(&keyed.value, "`slow_call` is zero, so every call would be slow");
        }
    }

    /// The state is a `static`, which cannot name a generic parameter.
    pub(super) fn check_generics(&self, function: &Signature, errors: &mut Errors) {
        check_generics(self.failure_threshold.as_ref(), function, errors);
        check_generics(self.failure_rate.as_ref(), function, errors);
        check_generics(self.min_calls.as_ref(), function, errors);
        check_generics(self.slow_call.as_ref(), function, errors);
        check_generics(self.slow_rate.as_ref(), function, errors);
        check_generics(self.reset_timeout.as_ref(), function, errors);
        check_generics(self.max_reset_timeout.as_ref(), function, errors);
        check_generics(self.success_threshold.as_ref(), function, errors);
        check_generics(self.half_open_calls.as_ref(), function, errors);
    }
}

fn literal<T: Copy>(keyed: Option<&Keyed<Constant<T>>>) -> Option<T> {
    keyed.and_then(|keyed| keyed.value.literal().copied())
}

fn at_least_one(keyed: Option<&Keyed<Constant<u32>>>, message: &str, errors: &mut Errors) {
    if let Some(keyed) = keyed.filter(|keyed| keyed.value.literal() == Some(&0)) {
        errors.add(&keyed.value, message);
    }
}

fn share(key: &str, keyed: Option<&Keyed<Constant<f64>>>, errors: &mut Errors) {
    let Some(keyed) = keyed else { return };
    let Some(rate) = keyed.value.literal() else { return };
    let words = format!("`{key}` is a share of the calls, above 0 and at most 1");
    match as_share(*rate) {
        Some(share) if *rate > 1.0 => {
            errors.add(&keyed.value, format!("{words}: write `{key} = {share}`"));
        }
        Some(_) => {}
        None => errors.add(&keyed.value, words),
    }
}
