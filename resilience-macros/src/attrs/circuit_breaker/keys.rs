//! The keys that make up the breaker: read, checked by the rules for literals, and written out.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr};

use crate::args::{Args, Keyed};
use crate::builder::Builder;
use crate::diagnostics::Errors;
use crate::splice::Site;
use crate::value::{self, Constant};

/// The keys, as far as they are given.
pub(super) struct Keys {
    pub(super) failure_threshold: Option<Keyed<Constant<u32>>>,
    pub(super) failure_rate: Option<Keyed<Constant<f64>>>,
    pub(super) window: Option<Keyed<Window>>,
    pub(super) min_calls: Option<Keyed<Constant<u32>>>,
    pub(super) slow_call: Option<Keyed<Constant<Duration>>>,
    pub(super) slow_rate: Option<Keyed<Constant<f64>>>,
    pub(super) reset_timeout: Option<Keyed<Constant<Duration>>>,
    pub(super) max_reset_timeout: Option<Keyed<Constant<Duration>>>,
    pub(super) success_threshold: Option<Keyed<Constant<u32>>>,
    pub(super) half_open_calls: Option<Keyed<Constant<u32>>>,
    /// Whether a dropped call is a failure.
    pub(super) abandoned: Option<Keyed<bool>>,
    /// The name under which processes share it.
    pub(super) shared: Option<Keyed<LitStr>>,
    pub(super) on_state_change: Option<Keyed<Expr>>,
}

pub(super) enum Window {
    Calls(Constant<u32>),
    Time(Constant<Duration>),
    /// A constant of one of both types.
    Either(Expr),
}

/// Where none is given.
pub(super) const RESET_TIMEOUT: Duration = Duration::from_secs(30);

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
            abandoned: args
                .value("abandoned", errors, |expr| value::choice("abandoned", expr, ABANDONED)),
            shared: args.value("shared", errors, shared),
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
            key(self.shared.as_ref()),
            key(self.on_state_change.as_ref()),
        ];
        keys.into_iter().flatten().collect()
    }

    /// The breaker, and the checks that stand before it.
    pub(super) fn policy(&self, site: &Site, name: &TokenStream) -> (TokenStream, TokenStream) {
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
                let at = expr.span().resolved_at(Span::call_site());
                let private = site.private_at(at);
                builder
                    .wrap(|policy| quote_spanned!(at=> #private::Window(#expr).windowed(#policy)));
            }
            None => {}
        }
        if let Some(Keyed { value: true, .. }) = self.abandoned {
            let private = &builder.site.private;
            let failure = quote!(#private::OnCancel::Failure);
            builder.set("on_cancel", Some(&failure));
        }
        if let Some(Keyed { value: name, .. }) = &self.shared {
            builder.set("shared", Some(&name.to_token_stream()));
        }
        if let Some(Keyed { value: hook, .. }) = &self.on_state_change {
            builder.set_at(hook.span(), "on_state_change", Some(&hook.to_token_stream()));
        }
        self.check_constants(&mut builder);
        builder.named(name)
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
        let window = match self.window.as_ref().map(|keyed| &keyed.value) {
            Some(Window::Calls(calls)) => Some(calls),
            _ => None,
        };
        pair("threshold_within_window", value(self.failure_threshold.as_ref()), window);
        pair("min_calls_within_window", value(self.min_calls.as_ref()), window);
        match (&self.success_threshold, &self.half_open_calls) {
            (Some(successes), Some(probes)) => {
                pair("probes_suffice", Some(&successes.value), Some(&probes.value));
            }
            (None, Some(Keyed { value: probes, .. })) if probes.literal().is_none() => {
                builder.require("probes_suffice", probes, probes, &quote!(1, #probes));
            }
            _ => {}
        }
        let Some(max) = value(self.max_reset_timeout.as_ref()) else { return };
        let first = value(self.reset_timeout.as_ref());
        if max.literal().is_none() || first.is_some_and(|first| first.literal().is_none()) {
            let (default, max_time) = (RESET_TIMEOUT.as_secs(), builder.time(max));
            let private = &builder.site.private;
            let default = quote!(#private::Duration::from_secs(#default));
            let first_time = first.map_or(default, |first| builder.time(first));
            let values = quote!(#first_time, #max_time);
            builder.require("reset_within_max", first.unwrap_or(max), max, &values);
        }
    }
}

fn value<T>(keyed: Option<&Keyed<Constant<T>>>) -> Option<&Constant<T>> {
    keyed.map(|keyed| &keyed.value)
}

fn count(args: &mut Args, errors: &mut Errors, key: &'static str) -> Option<Keyed<Constant<u32>>> {
    args.constant(key, errors, |expr| value::count(key, expr))
}

fn rate(args: &mut Args, errors: &mut Errors, key: &'static str) -> Option<Keyed<Constant<f64>>> {
    args.constant(key, errors, |expr| value::number(key, "0.5", expr))
}

fn time(
    args: &mut Args,
    errors: &mut Errors,
    key: &'static str,
) -> Option<Keyed<Constant<Duration>>> {
    args.constant(key, errors, |expr| value::duration(key, expr))
}

fn shared(expr: Expr) -> syn::Result<LitStr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) if !name.value().is_empty() => Ok(name),
        other => Err(syn::Error::new_spanned(
            other,
            "expected the name that all processes know it by, in quotes: `shared = \"payments\"`; one \
             that functions of this process share is `breaker = &PAYMENTS`",
        )),
    }
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
