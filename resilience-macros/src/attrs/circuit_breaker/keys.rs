//! The keys of `#[circuit_breaker]`, the checks between keys, and the breaker in generated code.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use resilience_rules::circuit_breaker as rules;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Signature};

use crate::args::{Keyed, value_of};
use crate::builder::Builder;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::keys::keys;
use crate::state_source::check_generic_expr;
use crate::value::{self, Constant, literal_of};

keys! {
    /// The keys of `#[circuit_breaker]`.
    pub(super) struct Keys {
        policy {
            failure_threshold: count [rule failure_threshold],
            failure_rate: share [rule failure_rate],
            window: constant(Window, window),
            min_calls: count [literal min_calls],
            slow_call: time [literal slow_call],
            slow_rate: share [rule slow_rate],
            reset_timeout: time [rule reset_timeout],
            max_reset_timeout: time,
            jitter: number("0.1") [rule open_jitter],
            recovery: time [rule recovery],
            shadow: switch,
            max_open: share [rule max_open],
            success_threshold: count [rule success_threshold],
            half_open_calls: count,
            on_cancel: choice(OnCancel, ON_CANCEL),
            shared: value(LitStr, shared),
            on_state_change: hook,
            name: policy_name,
        }
        deferred {
            on: callable,
            on_ok: callable,
            error: callable,
        }
    }
}

pub(super) enum Window {
    Calls(Constant<u32>),
    Time(Constant<Duration>),
    /// A constant of type `u32` or `Duration`.
    Either(Expr),
}

/// The meaning of a cancelled call: the future is dropped before the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnCancel {
    Ignore,
    Failure,
}

const ON_CANCEL: &[(&str, OnCancel)] =
    &[("ignore", OnCancel::Ignore), ("failure", OnCancel::Failure)];

impl Keys {
    /// Reports literals that break a rule, and keys that need another key.
    pub(super) fn check(&self, errors: &mut Errors) {
        self.check_rules(errors);
        if let (Some(slow), None) = (&self.slow_rate, &self.slow_call) {
            errors.add(
                &slow.key,
                "`slow_rate` needs the duration of a slow call; add `slow_call = \"2s\"`",
            );
        }
        let has_rate = self.failure_rate.is_some() || self.slow_call.is_some();
        if let (Some(min), false) = (&self.min_calls, has_rate) {
            errors.add(
                &min.key,
                "`min_calls` needs a rate; add `failure_rate = 0.5`, or remove `min_calls`",
            );
        }
        if let (Some(window), false, None) = (&self.window, has_rate, &self.failure_threshold) {
            errors.add(
                &window.key,
                "`window` needs a condition that opens the circuit; add `failure_rate = 0.5` or \
                 `failure_threshold = 5`",
            );
        }
        self.check_window(errors);
        self.check_reset_timeout(errors);
        let successes = literal_of(self.success_threshold.as_ref());
        let successes = successes.unwrap_or(rules::SUCCESS_THRESHOLD).max(1);
        if let Some(Keyed { value, .. }) = &self.half_open_calls {
            if let Some(calls) = value.literal() {
                let rule = rules::trial_calls_suffice(successes, *calls);
                let is_default = self.success_threshold.is_none();
                errors.check(
                    value,
                    match rule {
                        Err(broken) if is_default => Err(broken.second_is_default()),
                        rule => rule,
                    },
                );
            }
        }
    }

    /// Reports a constant of either type with a generic parameter.
    pub(super) fn check_generic_window(&self, function: &Signature, errors: &mut Errors) {
        if let Some(Window::Either(expr)) = value_of(self.window.as_ref()) {
            check_generic_expr("window", expr, function, errors);
        }
    }

    fn check_window(&self, errors: &mut Errors) {
        match value_of(self.window.as_ref()) {
            Some(Window::Calls(size)) => {
                let Some(calls) = size.literal().copied() else { return };
                if !errors.check(size, rules::window(calls)) {
                    return;
                }
                if let Some(Keyed { value, .. }) = &self.failure_threshold {
                    if let Some(failures) = value.literal() {
                        errors.check(value, rules::threshold_within_window(*failures, calls));
                    }
                }
                if let Some(Keyed { value, .. }) = &self.min_calls {
                    if let Some(min) = value.literal() {
                        errors.check(value, rules::min_calls_within_window(*min, calls));
                    }
                }
            }
            Some(Window::Time(length)) => {
                if let Some(time) = length.literal() {
                    errors.check(length, rules::window_time(*time));
                }
            }
            Some(Window::Either(_)) | None => {}
        }
    }

    fn check_reset_timeout(&self, errors: &mut Errors) {
        let Some(Keyed { value: max, .. }) = &self.max_reset_timeout else { return };
        let Some(max_time) = max.literal() else { return };
        let first = match &self.reset_timeout {
            None => Some(rules::RESET_TIMEOUT),
            Some(first) => first.value.literal().copied(),
        };
        let Some(first) = first else { return };
        let is_default = self.reset_timeout.is_none();
        errors.check(
            max,
            match rules::reset_within_max(first, *max_time) {
                Err(broken) if is_default => Err(broken.first_is_default()),
                rule => rule,
            },
        );
    }

    /// Returns whether the duration of a call matters.
    pub(super) fn is_timed(&self) -> bool {
        self.slow_call.is_some()
    }

    /// Returns the expression that creates the breaker, and checks as items.
    pub(super) fn generate(&self, context: &Context) -> (TokenStream, TokenStream) {
        let mut builder = Builder::new("CircuitBreaker", context);
        self.set_constants(&mut builder);
        match value_of(self.window.as_ref()) {
            Some(Window::Calls(calls)) => {
                let tokens = builder.argument(calls, None);
                builder.set_at(calls.source().span(), "count_window", Some(&tokens));
            }
            Some(Window::Time(length)) => {
                let tokens = builder.argument(length, None);
                builder.set_at(length.source().span(), "time_window", Some(&tokens));
            }
            Some(Window::Either(expr)) => {
                let at = expr.span().resolved_at(Span::call_site());
                let private = context.private_at(at);
                builder
                    .wrap(|policy| quote_spanned!(at=> #private::Window(#expr).windowed(#policy)));
            }
            None => {}
        }
        if let Some(OnCancel::Failure) = value_of(self.on_cancel.as_ref()) {
            let private = &context.private;
            builder.set("on_cancel", Some(&quote!(#private::OnCancel::Failure)));
        }
        if value_of(self.shadow.as_ref()) == Some(&true) {
            builder.set("shadow", None);
        }
        if let Some(name) = value_of(self.shared.as_ref()) {
            builder.set("shared", Some(&name.to_token_stream()));
        }
        if let Some(hook) = value_of(self.on_state_change.as_ref()) {
            builder.set_at(hook.span(), "on_state_change", Some(&hook.to_token_stream()));
        }
        self.require_constants(&mut builder);
        builder.into_static(&context.policy_name(value_of(self.name.as_ref())))
    }

    /// Adds checks for the rules between constant expressions.
    fn require_constants(&self, builder: &mut Builder<'_>) {
        let window = match value_of(self.window.as_ref()) {
            Some(Window::Calls(calls)) => Some(calls),
            _ => None,
        };
        let failures = value_of(self.failure_threshold.as_ref());
        builder.require("threshold_within_window", failures, window);
        builder.require("min_calls_within_window", value_of(self.min_calls.as_ref()), window);
        let successes = value_of(self.success_threshold.as_ref());
        match (successes, value_of(self.half_open_calls.as_ref())) {
            (None, Some(calls)) => {
                let default = rules::SUCCESS_THRESHOLD;
                let values = [quote!(#default), quote!(#calls)];
                builder.require_values("trial_calls_suffice", calls, calls, &values);
            }
            (successes, calls) => builder.require("trial_calls_suffice", successes, calls),
        }
        let first = value_of(self.reset_timeout.as_ref());
        match (first, value_of(self.max_reset_timeout.as_ref())) {
            (None, Some(max)) => {
                let private = &builder.context.private;
                let default = rules::RESET_TIMEOUT.as_secs();
                let default = quote!(#private::Duration::from_secs(#default));
                builder.require_values("reset_within_max", max, max, &[default, quote!(#max)]);
            }
            (first, max) => builder.require("reset_within_max", first, max),
        }
    }
}

/// Reads the name of a breaker shared by several processes.
fn shared(expr: Expr) -> syn::Result<LitStr> {
    value::shared_name(
        expr,
        "expected the name of the breaker in all processes, in quotes: `shared = \"payments\"`; \
         to share a breaker between functions write `breaker = &PAYMENTS`",
    )
}

/// Reads a number of calls, a time, or a constant of either type.
fn window(expr: Expr) -> syn::Result<Window> {
    let number = value::decimal(&expr).or_else(|| value::number_in_quotes(&expr));
    match &expr {
        _ if number.is_some_and(|number| number.fract() == 0.0) => {
            value::count("window", expr).map(Window::Calls)
        }
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            value::duration("window", expr).map(Window::Time)
        }
        Expr::Lit(_) | Expr::Closure(_) | Expr::Array(_) | Expr::Tuple(_) | Expr::Unary(_) => {
            Err(syn::Error::new_spanned(
                expr,
                "expected a number of calls or a time, like `window = 100` or `window = \"10s\"`",
            ))
        }
        _ => Ok(Window::Either(expr)),
    }
}
