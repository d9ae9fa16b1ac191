//! `#[rate_limit]`: limits the calls in a period.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use resilience_rules::{duration, rate_limit as rules};
use syn::{Expr, ExprLit, Lit, LitStr, Signature};

use crate::args::{Args, Keyed, value_of};
use crate::attrs::Role;
use crate::builder::Builder;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::keys::keys;
use crate::limit::{Limit, Limiter};
use crate::state_source::{PolicyType, StateSource};
use crate::value::{self, Constant};

pub(crate) type RateLimit = Limit<Keys>;

keys! {
    /// The keys of `#[rate_limit]`.
    pub(crate) struct Keys {
        policy {
            rate: count(rate) [argument rate],
            per: time [argument per],
            burst: count [rule burst],
            wait: wait,
            shadow: switch,
            shared: value(LitStr, shared),
            name: policy_name,
        }
        function {
            cost: value(Expr, cost),
        }
        deferred {
            settle: callable,
            error: callable,
        }
    }
}

impl Limiter for Keys {
    const NAME: &'static str = "rate_limit";
    const DEFERRED_KEYS: &'static [&'static str] = Self::DEFERRED;
    const EXAMPLE: &'static str = "rate = 100";
    const POLICY: PolicyType = PolicyType {
        name: "RateLimiter",
        key: "limiter",
        resolves_overrides: false,
        has_place: true,
    };
    const ROLES: &'static [Role] = &[Role::Rejects, Role::ReadsRejections, Role::TakesBackPermits];
    const WAIT_KEYS: &'static [&'static str] = &["wait", Self::POLICY.key];
    const HOLDS_PERMIT: bool = false;

    fn read(args: &mut Args, errors: &mut Errors) -> Self {
        Self::read(args, errors)
    }

    fn settings(&self) -> Vec<Ident> {
        self.settings()
    }

    fn check(&self, args: &Args, errors: &mut Errors) {
        if self.rate.is_none() && args.lacks(&["rate", "limiter"]) {
            errors.on_attribute(
                "`#[rate_limit]` needs a rate: `rate = 100` for a rate per second; for another \
                 period add `per = \"1m\"`",
            );
        }
        self.check_rules(errors);
    }

    fn check_state(&self, state: &StateSource, errors: &mut Errors) {
        if !state.is_provided() && !state.has_settings() {
            self.check_cost(errors);
        }
        if let (Some(shared), true) = (&self.shared, state.is_per_key()) {
            errors.add(
                &shared.key,
                "`shared` and `key` exclude each other: the limiter keeps a hash of each key, so no \
                 other process could know the key; remove one of them",
            );
        }
    }

    fn check_generics(&self, function: &Signature, errors: &mut Errors) {
        self.check_generics(function, errors);
    }

    fn waits(&self) -> bool {
        self.wait.is_some()
    }

    fn wait(&self) -> Option<&Keyed<Constant<Duration>>> {
        self.wait.as_ref()
    }

    fn check_function_keys(&self, errors: &mut Errors) {
        if let (Some((cost, at)), None) = (self.literal_cost(), &self.settle) {
            errors.check(at, rules::cost(cost));
        }
        if let (Some(settle), None) = (&self.settle, &self.cost) {
            errors.add(
                &settle.key,
                "`settle` corrects the `cost` of a call: write `cost = …` as well, or remove it",
            );
        }
    }

    fn cost(&self) -> Option<&Expr> {
        value_of(self.cost.as_ref())
    }

    fn settle(&self) -> Option<&Expr> {
        value_of(self.settle.as_ref())
    }

    fn rejects(&self) -> bool {
        !self.waits_without_limit() && value_of(self.shadow.as_ref()) != Some(&true)
    }

    fn error(&self) -> Option<&Expr> {
        value_of(self.error.as_ref())
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.name.as_ref())
    }

    fn generate(&self, context: &Context) -> (TokenStream, TokenStream) {
        let private = &context.private;
        let mut builder = Builder::with("RateLimiter", context, |builder| {
            let Some(rate) = value_of(self.rate.as_ref()) else { return Vec::new() };
            let per = value_of(self.per.as_ref()).map(|per| builder.argument(per, Some("per")));
            let default = rules::PER.as_secs();
            let per = per.unwrap_or_else(|| quote!(#private::Duration::from_secs(#default)));
            vec![builder.argument(rate, Some("rate")), per]
        });
        self.set_constants(&mut builder);
        if value_of(self.shadow.as_ref()) == Some(&true) {
            builder.set("shadow", None);
        }
        if let Some(name) = value_of(self.shared.as_ref()) {
            builder.set("shared", Some(&name.to_token_stream()));
        }
        builder.into_static(&context.policy_name(value_of(self.name.as_ref())))
    }
}

impl Keys {
    /// Returns the cost of a call, if the cost is a literal.
    fn literal_cost(&self) -> Option<(u32, &Expr)> {
        let cost = value_of(self.cost.as_ref())?;
        let Expr::Lit(ExprLit { lit: Lit::Int(count), .. }) = cost else { return None };
        Some((count.base10_parse().ok()?, cost))
    }

    /// Reports a cost that the limiter never admits, as far as literals show the limits.
    fn check_cost(&self, errors: &mut Errors) {
        let Some((cost, at)) = self.literal_cost() else { return };
        let literal = |count: &Option<Keyed<Constant<u32>>>, default| match count {
            Some(count) => count.value.literal().copied(),
            None => Some(default),
        };
        let Some(burst) = literal(&self.burst, rules::BURST) else { return };
        let Some(wait) = &self.wait else {
            errors.check(at, rules::cost_within_burst(cost, burst));
            return;
        };
        let per = match &self.per {
            Some(per) => per.value.literal().copied(),
            None => Some(rules::PER),
        };
        let (rate, wait) = (literal(&self.rate, 1), wait.value.literal());
        if let (Some(rate), Some(per), Some(wait)) = (rate, per, wait) {
            errors.check(at, rules::cost_within_wait(cost, burst, rate, per, *wait));
        }
    }
}

/// Reads the name of a rate that several processes use together.
fn shared(expr: Expr) -> syn::Result<LitStr> {
    value::shared_name(
        expr,
        "expected the name of the rate in all processes, in quotes: `shared = \"partner-api\"`; to \
         share a limiter between functions write `limiter = &PARTNER`",
    )
}

/// Reads the cost of a call: any expression except a literal of a wrong type.
fn cost(expr: Expr) -> syn::Result<Expr> {
    match &expr {
        _ if value::decimal(&expr).is_some() => value::count("cost", expr.clone()).map(|_| expr),
        Expr::Lit(literal) => Err(syn::Error::new_spanned(
            literal,
            "expected the number of permits of a call, like `cost = request.tokens`",
        )),
        _ => Ok(expr),
    }
}

/// Reads a whole number. A rate with a period, like `"100/s"`, and a fraction have their own
/// messages.
fn rate(expr: Expr) -> syn::Result<Constant<u32>> {
    let message = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let text = text.value();
            let (rate, period) =
                text.split_once('/').or_else(|| text.split_once("per")).unwrap_or((&text, ""));
            let period = period.trim();
            let is_number = period.starts_with(|first: char| first.is_ascii_digit());
            let period = if is_number { period.to_owned() } else { format!("1{period}") };
            let period = duration::respelled(&period);
            match (rate.trim().parse::<u32>(), value::mistake_of_count("rate", &expr), period) {
                (_, Some(mistake), _) => mistake,
                (Ok(rate), None, Some(period)) => {
                    format!("write `rate = {rate}, per = \"{period}\"`")
                }
                _ => "expected a whole number, with its period: `rate = 100, per = \"1m\"`".into(),
            }
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. })
            if value::mistake_of_count("rate", &expr).is_none() =>
        {
            "expected a whole number; for less than one call a second write a longer `per`, like \
             `rate = 1, per = \"2s\"`"
                .into()
        }
        _ => return value::count("rate", expr),
    };
    Err(syn::Error::new_spanned(expr, message))
}
