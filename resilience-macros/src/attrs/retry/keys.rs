//! The keys that make up the policy: read, and checked by the rules for literals.

use std::time::Duration;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit};

use super::budget::Budget;
use crate::args::{Args, Keyed, Value};
use crate::diagnostics::Errors;
use crate::value::{self, Constant};

/// The keys, as far as they are given.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) attempts: Option<Keyed<Attempts>>,
    pub(super) backoff: Option<Keyed<Backoff>>,
    pub(super) base_delay: Option<Keyed<Constant<Duration>>>,
    pub(super) max_delay: Option<Keyed<Constant<Duration>>>,
    pub(super) factor: Option<Keyed<Constant<f64>>>,
    pub(super) jitter: Option<Keyed<Jitter>>,
    pub(super) deadline: Option<Keyed<Constant<Duration>>>,
    pub(super) idempotent: Option<Keyed<Expr>>,
    pub(super) max_retry_after: Option<Keyed<Constant<Duration>>>,
    pub(super) budget: Option<Keyed<Budget>>,
    /// Whether a local rejection is waited for.
    pub(super) on_rejection: Option<Keyed<bool>>,
}

pub(super) enum Attempts {
    Unlimited,
    Count(Constant<u32>),
}

pub(super) enum Backoff {
    /// A built-in growth, by the name of its method.
    Named(&'static str),
    List(Vec<Constant<Duration>>),
    Custom(Expr),
}

pub(super) enum Jitter {
    /// A kind without a value, by the name of its variant.
    Named(&'static str),
    Ratio(f64),
    UpTo(Duration),
    Expr(Expr),
}

/// The growths by name: as written, and the method of the policy.
const GROWTHS: &[(&str, &str)] = &[
    ("exponential", "exponential"),
    ("fixed", "fixed"),
    ("linear", "linear"),
    ("fibonacci", "fibonacci"),
];

/// The jitters by name: as written, and the variant.
const JITTERS: &[(&str, &str)] =
    &[("full", "Full"), ("equal", "Equal"), ("decorrelated", "Decorrelated"), ("none", "None")];

impl Keys {
    pub(super) fn read(args: &mut Args, errors: &mut Errors) -> Self {
        Self {
            attempts: args.constant("attempts", errors, attempts),
            backoff: args.value("backoff", errors, backoff),
            base_delay: duration(args, errors, "base_delay"),
            max_delay: duration(args, errors, "max_delay"),
            factor: args.constant("factor", errors, |expr| value::number("factor", "1.5", expr)),
            jitter: jitter(args, errors),
            deadline: duration(args, errors, "deadline"),
            idempotent: args.value("idempotent", errors, |expr| value::flag("idempotent", expr)),
            max_retry_after: duration(args, errors, "max_retry_after"),
            budget: Budget::read(args, errors),
            on_rejection: args.value("on_rejection", errors, on_rejection),
        }
    }

    pub(super) fn given(&self) -> Vec<&Ident> {
        fn key<T>(keyed: Option<&Keyed<T>>) -> Option<&Ident> {
            keyed.map(|keyed| &keyed.key)
        }
        let keys = [
            key(self.attempts.as_ref()),
            key(self.backoff.as_ref()),
            key(self.base_delay.as_ref()),
            key(self.max_delay.as_ref()),
            key(self.factor.as_ref()),
            key(self.jitter.as_ref()),
            key(self.deadline.as_ref()),
            key(self.idempotent.as_ref()),
            key(self.max_retry_after.as_ref()),
            key(self.budget.as_ref()),
            key(self.on_rejection.as_ref()),
        ];
        keys.into_iter().flatten().collect()
    }

    /// The rules for literals, in the words of the runtime's `rules`, and the keys that exclude
    /// each other.
    pub(super) fn check(&self, errors: &mut Errors) {
        self.check_conflicts(errors);
        if let Some(Keyed { value: Attempts::Count(count), .. }) = &self.attempts {
            if count.literal() == Some(&0) {
                errors.add(count, "`attempts` counts the first call, so it must be at least 1");
            }
        }
        if let Some(Keyed { value: factor, .. }) = &self.factor {
            if factor.literal().is_some_and(|factor| !(*factor >= 1.0 && factor.is_finite())) {
                errors.add(
                    factor,
                    "`factor` must be a finite number of at least 1: delays do not shrink",
                );
            }
        }
        let base = self.base_delay.as_ref().map(|keyed| &keyed.value);
        let literal = |key: &Option<Keyed<Constant<Duration>>>| {
            key.as_ref().and_then(|keyed| keyed.value.literal().copied())
        };
        if let (Some(base), Some(max)) = (base, literal(&self.max_delay)) {
            if base.literal().is_some_and(|base| *base > max) {
                errors.add(
                    base,
                    "`base_delay` is longer than `max_delay`, so no delay would ever grow",
                );
            }
        }
        if let (Some(keyed), Some(deadline)) = (&self.deadline, literal(&self.deadline)) {
            let first = base.and_then(Constant::literal);
            if deadline.is_zero() {
                errors.add(&keyed.value, "`deadline` is zero, so no attempt could start");
            } else if self.is_scheduled() && first.is_some_and(|first| *first >= deadline) {
                errors.add(
                    &keyed.value,
                    "`base_delay` is not shorter than `deadline`, which leaves no room for a retry",
                );
            }
        }
    }

    /// Whether the delays start from `base_delay`.
    fn is_scheduled(&self) -> bool {
        !matches!(self.backoff, Some(Keyed { value: Backoff::List(_) | Backoff::Custom(_), .. }))
    }

    fn check_conflicts(&self, errors: &mut Errors) {
        if !self.is_scheduled() {
            let unused = [
                self.base_delay.as_ref().map(|keyed| &keyed.key),
                self.factor.as_ref().map(|keyed| &keyed.key),
            ];
            for key in unused.into_iter().flatten() {
                errors.add(
                    key,
                    format!(
                        "`{key}` and this `backoff` exclude each other: its delays are its own"
                    ),
                );
            }
        } else if let (Some(factor), Some(Keyed { value: Backoff::Named(name), .. })) =
            (&self.factor, &self.backoff)
        {
            if *name != "exponential" {
                errors.add(
                    &factor.key,
                    format!("`factor` and `backoff = \"{name}\"` exclude each other: only exponential delays have a factor"),
                );
            }
        }
        if let Some(Keyed { value: Jitter::Named("Decorrelated"), .. }) = &self.jitter {
            let backoff = self
                .backoff
                .as_ref()
                .filter(|keyed| !matches!(keyed.value, Backoff::Named("exponential")));
            let factor = self.factor.as_ref().map(|keyed| &keyed.key);
            for key in [backoff.map(|keyed| &keyed.key), factor].into_iter().flatten() {
                errors.add(
                    key,
                    format!(
                        "`{key}` and `jitter = \"decorrelated\"` exclude each other: decorrelated \
                         delays grow by themselves, from `base_delay` to `max_delay`"
                    ),
                );
            }
        }
    }
}

fn duration(
    args: &mut Args,
    errors: &mut Errors,
    key: &'static str,
) -> Option<Keyed<Constant<Duration>>> {
    args.constant(key, errors, |expr| value::duration(key, expr))
}

fn attempts(expr: Expr) -> syn::Result<Attempts> {
    match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "unlimited" => {
            Ok(Attempts::Unlimited)
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let message = match text.value().parse::<u32>() {
                Ok(count) => format!("a number without quotes: `attempts = {count}`"),
                Err(_) => "expected a whole number, like `attempts = 4`, or `\"unlimited\"`".into(),
            };
            Err(syn::Error::new_spanned(text, message))
        }
        _ => value::count("attempts", expr).map(Attempts::Count),
    }
}

fn on_rejection(expr: Expr) -> syn::Result<bool> {
    let names = [("stop", false), ("wait", true)];
    value::choice("on_rejection", expr, &names)
}

fn backoff(expr: Expr) -> syn::Result<Backoff> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            value::named("backoff", &text, GROWTHS).map(Backoff::Named)
        }
        Expr::Lit(other) => Err(syn::Error::new_spanned(
            other,
            "expected `\"exponential\"`, `\"fixed\"`, `\"linear\"`, `\"fibonacci\"`, a list like \
             `[\"100ms\", \"1s\"]`, or an expression that is a `Backoff`",
        )),
        Expr::Array(list) if list.elems.is_empty() => {
            Err(syn::Error::new_spanned(list, "a list of delays needs at least one"))
        }
        Expr::Array(list) => {
            let delays = list.elems.into_iter().map(|delay| value::duration("backoff", delay));
            delays.collect::<syn::Result<_>>().map(Backoff::List)
        }
        custom => {
            value::unquoted("backoff", &custom, GROWTHS)?;
            Ok(Backoff::Custom(custom))
        }
    }
}

fn jitter(args: &mut Args, errors: &mut Errors) -> Option<Keyed<Jitter>> {
    let arg = args.take("jitter")?;
    let value = match arg.value {
        Value::Bare => Ok(Jitter::Named("Full")),
        Value::Expr(expr) => jitter_value(expr),
        Value::Names(_) | Value::List(_) => Err(syn::Error::new_spanned(
            &arg.key,
            "`jitter` takes no parentheses: `jitter`, `jitter = \"equal\"`, `jitter = 0.5`",
        )),
    };
    errors.keep(value).map(|value| Keyed { key: arg.key, value })
}

fn jitter_value(expr: Expr) -> syn::Result<Jitter> {
    let Expr::Lit(ExprLit { lit, .. }) = &expr else {
        value::unquoted("jitter", &expr, JITTERS)?;
        return Ok(Jitter::Expr(expr));
    };
    match lit {
        Lit::Bool(flag) => {
            let instead = if flag.value { "`jitter` alone" } else { "`jitter = \"none\"`" };
            Err(syn::Error::new_spanned(flag, format!("jitter is no switch: write {instead}")))
        }
        Lit::Str(text) if text.value().starts_with(|first: char| first.is_ascii_digit()) => {
            value::duration_text(text).map(Jitter::UpTo)
        }
        Lit::Str(text) => value::named("jitter", text, JITTERS).map(Jitter::Named),
        Lit::Int(_) | Lit::Float(_) => match value::decimal(lit) {
            Some(ratio) if (0.0..=1.0).contains(&ratio) => Ok(Jitter::Ratio(ratio)),
            _ => {
                let written = lit.to_token_stream();
                Err(syn::Error::new_spanned(
                    lit,
                    format!(
                        "a jitter ratio must be between 0 and 1; for a time write \
                         `\"{written}ms\"` or `\"{written}s\"`"
                    ),
                ))
            }
        },
        other => Err(syn::Error::new_spanned(
            other,
            "expected a kind, a ratio or a time: `jitter = \"equal\"`, `jitter = 0.5`, \
             `jitter = \"1s\"`",
        )),
    }
}
