//! The keys that make up the breaker: read, checked by the rules for literals, and written out.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, Signature};

use crate::args::{Args, Keyed};
use crate::builder::Builder;
use crate::diagnostics::Errors;
use crate::own::check_generics;
use crate::splice::Site;
use crate::value::{self, Constant};

/// The keys, as far as they are given.
pub(super) struct Keys {
    failure_threshold: Option<Keyed<Constant<u32>>>,
    failure_rate: Option<Keyed<Constant<f64>>>,
    window: Option<Keyed<Window>>,
    min_calls: Option<Keyed<Constant<u32>>>,
    slow_call: Option<Keyed<Constant<Duration>>>,
    slow_rate: Option<Keyed<Constant<f64>>>,
    reset_timeout: Option<Keyed<Constant<Duration>>>,
    max_reset_timeout: Option<Keyed<Constant<Duration>>>,
    success_threshold: Option<Keyed<Constant<u32>>>,
    half_open_calls: Option<Keyed<Constant<u32>>>,
    /// Whether a dropped call is a failure.
    pub(super) abandoned: Option<Keyed<bool>>,
    on_state_change: Option<Keyed<Expr>>,
}

enum Window {
    Calls(Constant<u32>),
    Time(Constant<Duration>),
    /// A constant of one of both types.
    Either(Expr),
}

const ABANDONED: &[(&str, bool)] = &[("ignore", false), ("failure", true)];

impl Keys {
    pub(super) fn read(args: &mut Args, errors: &mut Errors) -> Self {
        Self {
            failure_threshold: count(args, errors, "failure_threshold"),
            failure_rate: rate(args, errors, "failure_rate"),
            window: args.constant("window", errors, window),
            min_calls: count(args, errors, "min_calls"),
            slow_call: time(args, errors, "slow_call"),
            slow_rate: rate(args, errors, "slow_rate"),
            reset_timeout: time(args, errors, "reset_timeout"),
            max_reset_timeout: time(args, errors, "max_reset_timeout"),
            success_threshold: count(args, errors, "success_threshold"),
            half_open_calls: count(args, errors, "half_open_calls"),
            abandoned: args.value("abandoned", errors, |expr| {
                value::named("abandoned", &value::text("abandoned", expr)?, ABANDONED)
            }),
            on_state_change: args
                .value("on_state_change", errors, |expr| value::callable("on_state_change", expr)),
        }
    }

    /// Whether the time that a call takes matters.
    pub(super) fn is_timed(&self) -> bool {
        self.slow_call.is_some()
    }

    pub(super) fn given(&self) -> Vec<&Ident> {
        fn key<T>(keyed: Option<&Keyed<T>>) -> Option<&Ident> {
            keyed.map(|keyed| &keyed.key)
        }
        let keys = [
            key(self.failure_threshold.as_ref()),
            key(self.failure_rate.as_ref()),
            key(self.window.as_ref()),
            key(self.min_calls.as_ref()),
            key(self.slow_call.as_ref()),
            key(self.slow_rate.as_ref()),
            key(self.reset_timeout.as_ref()),
            key(self.max_reset_timeout.as_ref()),
            key(self.success_threshold.as_ref()),
            key(self.half_open_calls.as_ref()),
            key(self.abandoned.as_ref()),
            key(self.on_state_change.as_ref()),
        ];
        keys.into_iter().flatten().collect()
    }

    /// The rules for literals, in the words of the runtime's `rules`, and the keys that need each
    /// other.
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
        let successes = literal(self.success_threshold.as_ref()).unwrap_or(1);
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
        let default = Duration::from_secs(30);
        let first = match &self.reset_timeout {
            None => Some(default),
            Some(_) => first,
        };
        if let (Some(keyed), Some(true)) =
            (&self.max_reset_timeout, first.zip(max).map(|(first, max)| first > max))
        {
            errors.add(
                &keyed.value,
                "`reset_timeout` is longer than `max_reset_timeout`, so the open time could not grow",
            );
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

    /// The breaker, and the checks that stand before it.
    pub(super) fn policy(&self, site: &Site) -> (TokenStream, TokenStream) {
        let mut builder = Builder::new("CircuitBreaker", site);
        for (key, count) in [
            ("failure_threshold", &self.failure_threshold),
            ("min_calls", &self.min_calls),
            ("success_threshold", &self.success_threshold),
            ("half_open_calls", &self.half_open_calls),
        ] {
            if let Some(Keyed { value, .. }) = count {
                let tokens = value.to_token_stream();
                if ["failure_threshold", "success_threshold"].contains(&key) {
                    builder.checked(key, value, &tokens);
                } else {
                    builder.set_at(value.source().span(), key, Some(&tokens));
                }
            }
        }
        for (key, rate) in [("failure_rate", &self.failure_rate), ("slow_rate", &self.slow_rate)] {
            if let Some(Keyed { value, .. }) = rate {
                builder.checked(key, value, &value::number_tokens(value));
            }
        }
        for (key, time) in [
            ("slow_call", &self.slow_call),
            ("reset_timeout", &self.reset_timeout),
            ("max_reset_timeout", &self.max_reset_timeout),
        ] {
            if let Some(Keyed { value, .. }) = time {
                let tokens = builder.time(value);
                if key == "reset_timeout" {
                    builder.checked(key, value, &tokens);
                } else {
                    builder.set_at(value.source().span(), key, Some(&tokens));
                }
            }
        }
        match self.window.as_ref().map(|keyed| &keyed.value) {
            Some(Window::Calls(calls)) => {
                builder.set_at(
                    calls.source().span(),
                    "count_window",
                    Some(&calls.to_token_stream()),
                );
            }
            Some(Window::Time(length)) => {
                let tokens = builder.time(length);
                builder.set_at(length.source().span(), "time_window", Some(&tokens));
            }
            Some(Window::Either(expr)) => {
                let private = &site.private;
                builder.wrap(
                    |policy| quote_spanned!(expr.span()=> #private::Window(#expr).of(#policy)),
                );
            }
            None => {}
        }
        if let Some(Keyed { value: true, .. }) = self.abandoned {
            builder.set("abandoned_is_failure", Some(&quote!(true)));
        }
        if let Some(Keyed { value: hook, .. }) = &self.on_state_change {
            builder.set_at(hook.span(), "on_state_change", Some(&hook.to_token_stream()));
        }
        self.check_constants(&mut builder);
        builder.value()
    }

    /// The rules between two keys of which one at least is no literal.
    fn check_constants(&self, builder: &mut Builder<'_>) {
        let mut pair = |rule, first: Option<&Constant<u32>>, second: Option<&Constant<u32>>| {
            if let (Some(first), Some(second)) = (first, second) {
                if first.literal().is_none() || second.literal().is_none() {
                    builder.require(rule, first, second, &quote!(#first, #second));
                }
            }
        };
        fn value<T>(keyed: &Option<Keyed<Constant<T>>>) -> Option<&Constant<T>> {
            keyed.as_ref().map(|keyed| &keyed.value)
        }
        let window = match self.window.as_ref().map(|keyed| &keyed.value) {
            Some(Window::Calls(calls)) => Some(calls),
            _ => None,
        };
        pair("threshold_within_window", value(&self.failure_threshold), window);
        pair("min_calls_within_window", value(&self.min_calls), window);
        pair("probes_suffice", value(&self.success_threshold), value(&self.half_open_calls));
        if let (Some(first), Some(max)) =
            (value(&self.reset_timeout), value(&self.max_reset_timeout))
        {
            if first.literal().is_none() || max.literal().is_none() {
                let (first_time, max_time) = (builder.time(first), builder.time(max));
                builder.require("reset_within_max", first, max, &quote!(#first_time, #max_time));
            }
        }
    }
}

fn literal<T: Copy>(keyed: Option<&Keyed<Constant<T>>>) -> Option<T> {
    keyed.and_then(|keyed| keyed.value.literal().copied())
}

fn count(args: &mut Args, errors: &mut Errors, key: &'static str) -> Option<Keyed<Constant<u32>>> {
    args.constant(key, errors, |expr| value::count(key, expr))
}

fn rate(args: &mut Args, errors: &mut Errors, key: &'static str) -> Option<Keyed<Constant<f64>>> {
    args.constant(key, errors, |expr| value::number(key, expr))
}

fn time(
    args: &mut Args,
    errors: &mut Errors,
    key: &'static str,
) -> Option<Keyed<Constant<Duration>>> {
    args.constant(key, errors, |expr| value::duration(key, expr))
}

fn window(expr: Expr) -> syn::Result<Window> {
    match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            value::duration("window", expr).map(Window::Time)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. })
            if int.suffix().is_empty() || int.suffix() == "u32" =>
        {
            value::count("window", expr).map(Window::Calls)
        }
        Expr::Lit(_) | Expr::Closure(_) | Expr::Array(_) | Expr::Tuple(_) => {
            Err(syn::Error::new_spanned(
                expr,
                "expected a number of calls or a time: `window = 100`, `window = \"10s\"`",
            ))
        }
        _ => Ok(Window::Either(expr)),
    }
}

fn at_least_one(keyed: Option<&Keyed<Constant<u32>>>, message: &str, errors: &mut Errors) {
    if let Some(keyed) = keyed.filter(|keyed| keyed.value.literal() == Some(&0)) {
        errors.add(&keyed.value, message);
    }
}

fn share(key: &str, keyed: Option<&Keyed<Constant<f64>>>, errors: &mut Errors) {
    let Some(keyed) = keyed else { return };
    match keyed.value.literal() {
        Some(rate) if *rate > 1.0 && *rate <= 100.0 => errors.add(
            &keyed.value,
            format!(
                "`{key}` is a share of the calls, above 0 and at most 1: write `{key} = {}`",
                rate / 100.0
            ),
        ),
        Some(rate) if !(*rate > 0.0 && *rate <= 1.0) => errors
            .add(&keyed.value, format!("`{key}` is a share of the calls, above 0 and at most 1")),
        _ => {}
    }
}
