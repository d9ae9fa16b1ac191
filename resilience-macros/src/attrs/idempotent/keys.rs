//! The keys that make up the policy: read, and checked by the rules for literals.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, parse_quote};

use crate::args::{Args, Keyed};
use crate::builder::Builder;
use crate::diagnostics::Errors;
use crate::hint::nearest;
use crate::splice::Site;
use crate::state_source::Owned;
use crate::value::{self, Constant};

/// Where the policy comes from.
pub(super) enum Policy {
    /// `policy = expr`
    Given(Expr),
    /// The keys of the attribute.
    Built(Box<Keys>),
}

/// The keys, as far as they are given.
pub(super) struct Keys {
    times: Vec<Keyed<Constant<Duration>>>,
    counts: Vec<Keyed<Constant<u32>>>,
    concurrent: Option<Keyed<Concurrent>>,
    /// A choice: its key, the type of the runtime, and the variant.
    choices: Vec<Keyed<(&'static str, &'static str)>>,
    name: Option<LitStr>,
    /// What stands for the function where it has no `name`.
    step: Option<LitStr>,
}

/// What a call does while another one with its key is running.
enum Concurrent {
    Reject,
    Wait(Constant<Duration>),
}

/// `on_interrupted = …`
pub(super) struct Interrupted {
    /// The variant in the runtime.
    pub(super) variant: &'static str,
    /// What finds out what has happened.
    pub(super) with: Option<Expr>,
}

/// The words of a choice, each with its variant in the runtime.
type Words = &'static [(&'static str, &'static str)];

/// The choices: their keys, their types in the runtime, and their words.
const CHOICES: &[(&str, &str, Words)] = &[
    ("on_store_error", "OnStoreError", &[("fail_closed", "FailClosed"), ("fail_open", "FailOpen")]),
    ("on_lease_lost", "OnLeaseLost", &[("continue", "Continue"), ("cancel", "Cancel")]),
    ("on_unsaved", "OnUnsaved", &[("return", "Return"), ("error", "Error")]),
];

impl Policy {
    pub(super) fn read(
        args: &mut Args,
        interrupted: Option<&Keyed<Interrupted>>,
        step: Option<&LitStr>,
        errors: &mut Errors,
    ) -> Self {
        let mut times = Vec::new();
        for key in ["ttl", "lease", "store_timeout"] {
            times.extend(args.constant(key, errors, |expr| value::duration(key, expr)));
        }
        let mut counts = Vec::new();
        for key in ["version", "min_key_length", "max_outcome"] {
            counts.extend(args.constant(key, errors, |expr| value::count(key, expr)));
        }
        let concurrent = args.constant("concurrent", errors, concurrent);
        let mut choices = Vec::new();
        for (key, ty, words) in CHOICES {
            let choice = args.value(key, errors, |expr| one_of(key, &expr, words));
            choices.extend(choice.map(|Keyed { key, value }| Keyed { key, value: (*ty, value) }));
        }
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let policy = args.value("policy", errors, given);
        if let Some(policy) = policy {
            let keys = times.iter().map(|keyed| &keyed.key);
            let keys = keys.chain(counts.iter().map(|keyed| &keyed.key));
            let keys = keys.chain(choices.iter().map(|keyed| &keyed.key));
            let keys = keys.chain(concurrent.as_ref().map(|keyed| &keyed.key));
            let keys = keys.chain(name.as_ref().map(|keyed| &keyed.key));
            // A function that finds out is none of a policy's settings.
            let interrupted = interrupted.filter(|keyed| keyed.value.with.is_none());
            let keys = keys.chain(interrupted.map(|keyed| &keyed.key));
            let keys: Vec<Ident> = keys.cloned().collect();
            Owned::exclude("policy", &keys, errors);
            return Self::Given(policy.value);
        }
        if let Some(Keyed { key, value }) = interrupted {
            choices.push(Keyed { key: key.clone(), value: ("OnInterrupted", value.variant) });
        }
        let name = name.map(|name| name.value);
        let keys = Keys { times, counts, concurrent, choices, name, step: step.cloned() };
        keys.check(errors);
        Self::Built(Box::new(keys))
    }

    /// Whether two functions of the same name in one module would be the same to a store.
    pub(super) fn is_named_by_its_path(&self) -> bool {
        matches!(self, Self::Built(keys) if keys.name.is_none() && keys.step.is_none())
    }

    /// Reports what says nothing about a call whose record is there with the commit of a transaction, or not at
    /// all. (`lease` bounds `ttl`, and may stay.)
    pub(super) fn is_in_transaction(&self, errors: &mut Errors) {
        let Self::Built(keys) = self else { return };
        let times = keys.times.iter().map(|time| &time.key).filter(|key| *key == "store_timeout");
        for key in times.chain(keys.choices.iter().map(|choice| &choice.key)) {
            errors.add(
                key,
                format!(
                    "`{key}` says nothing with `transaction`, whose record is there with the commit or \
                     not at all: remove it"
                ),
            );
        }
    }

    /// Reports a record that is forgotten while a sibling is still trying.
    pub(super) fn outlasts(&self, horizon: Duration, errors: &mut Errors) {
        let Self::Built(keys) = self else { return };
        let (_, ttl) = keys.lease_and_ttl();
        if ttl.literal().is_none_or(|ttl| *ttl >= horizon) {
            return;
        }
        let message = |note: &str| {
            format!(
                "`ttl`{note} is shorter than the {horizon:?} for which the `#[retry]` on this function \
                 goes on trying, so a call could be forgotten that is still repeated"
            )
        };
        match keys.times.iter().find(|time| time.key == "ttl") {
            Some(ttl) => errors.add(&ttl.value, message("")),
            None => errors.whole(message(", which is 24h where it is not given,")),
        }
    }

    /// A reference to the policy. `reconciles`: there is a function that finds out.
    pub(super) fn generate(&self, site: &Site, reconciles: bool) -> TokenStream {
        match self {
            Self::Given(policy) if reconciles => {
                let private = &site.private;
                let then = quote!(#private::idempotent::OnInterrupted::Reconcile);
                quote_spanned!(policy.span()=> &(#policy).on_interrupted(#then))
            }
            Self::Given(policy) => quote_spanned!(policy.span()=> &#policy),
            Self::Built(keys) => keys.generate(site),
        }
    }
}

fn given(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(literal) => Err(syn::Error::new_spanned(
            literal,
            "expected an `IdempotencyPolicy`: `policy = CHARGE`, `policy = self.policy`",
        )),
        other => Ok(other),
    }
}

impl Keys {
    fn time(&self, key: &str, default: Duration, written: &str) -> Constant<Duration> {
        let given = self.times.iter().find(|time| time.key == key);
        let default = || Constant::Literal(default, parse_quote!(#written));
        given.map_or_else(default, |time| match &time.value {
            Constant::Literal(time, expr) => Constant::Literal(*time, expr.clone()),
            Constant::Expr(expr) => Constant::Expr(expr.clone()),
            Constant::Braced(expr) => Constant::Braced(expr.clone()),
        })
    }

    fn lease_and_ttl(&self) -> (Constant<Duration>, Constant<Duration>) {
        let lease = self.time("lease", Duration::from_secs(30), "30s");
        let ttl = self.time("ttl", Duration::from_secs(24 * 60 * 60), "24h");
        (lease, ttl)
    }

    /// The rules for literals, in the words of the runtime's `rules`.
    fn check(&self, errors: &mut Errors) {
        for time in &self.times {
            let zero = time.value.literal().is_some_and(Duration::is_zero);
            if zero {
                let key = &time.key;
                errors.add(
                    &time.value,
                    match key.to_string().as_str() {
                        "ttl" => "`ttl` is zero, so nothing would be remembered",
                        "lease" => "`lease` is zero, so every call would count as dead",
                        _ => "`store_timeout` is zero, so the store could never answer",
                    },
                );
                return;
            }
        }
        let (lease, ttl) = self.lease_and_ttl();
        if let (Some(lease_time), Some(ttl_time)) = (lease.literal(), ttl.literal()) {
            if lease_time >= ttl_time {
                let given = |key| self.times.iter().find(|time| time.key == key);
                let (at, lease, ttl) = match (given("lease"), given("ttl")) {
                    (Some(lease), Some(_)) => (&lease.value, "", ""),
                    (Some(lease), None) => {
                        (&lease.value, "", ", which is 24h where it is not given")
                    }
                    (None, Some(ttl)) => (&ttl.value, ", which is 30s where it is not given,", ""),
                    (None, None) => return,
                };
                errors.add(
                    at,
                    format!(
                        "`lease`{lease} is not shorter than `ttl`{ttl}, so a running call could be \
                         forgotten"
                    ),
                );
            }
        }
    }

    fn generate(&self, site: &Site) -> TokenStream {
        let private = &site.private;
        let name = self.name.as_ref().or(self.step.as_ref());
        let mut builder =
            Builder::with("IdempotencyPolicy", site, |_| vec![site.policy_name(name)]);
        for Keyed { key, value: time } in &self.times {
            let tokens = builder.time(time);
            builder.generic |= builder.is_generic(time);
            builder.set_at(time.source().span(), &key.to_string(), Some(&tokens));
        }
        for Keyed { key, value: count } in &self.counts {
            builder.generic |= builder.is_generic(count);
            builder.unchecked |= count.literal().is_none();
            let at = count.source().span();
            builder.set_at(at, &key.to_string(), Some(&count.to_token_stream()));
        }
        match self.concurrent.as_ref().map(|keyed| &keyed.value) {
            Some(Concurrent::Reject) => builder.set("reject", None),
            Some(Concurrent::Wait(time)) => {
                let tokens = builder.time(time);
                builder.generic |= builder.is_generic(time);
                builder.set_at(time.source().span(), "wait", Some(&tokens));
            }
            None => {}
        }
        for Keyed { key, value: (ty, variant) } in &self.choices {
            let (ty, variant) = (format_ident!("{ty}"), format_ident!("{variant}"));
            let choice = quote!(#private::idempotent::#ty::#variant);
            builder.set(&key.to_string(), Some(&choice));
        }
        let (lease, ttl) = self.lease_and_ttl();
        let times = [&lease, &ttl].into_iter().chain(self.times.iter().map(|time| &time.value));
        if let Some(unread) = times.into_iter().find(|time| time.literal().is_none()) {
            let at = unread.source().span().resolved_at(Span::call_site());
            let private = site.private_at(at);
            builder.wrap(|policy| quote_spanned!(at=> #private::idempotent::check(#policy)));
        }
        builder.constant(&TokenStream::new())
    }
}

/// `concurrent = reject`, `concurrent = wait("5s")`
fn concurrent(expr: Expr) -> syn::Result<Concurrent> {
    let words = "expected `concurrent = wait(\"5s\")` or `concurrent = reject`";
    match word(&expr) {
        Some((word, None)) if word == "reject" => Ok(Concurrent::Reject),
        Some((word, Some(time))) if word == "wait" => {
            value::duration_behind("concurrent = wait(…), ", time).map(Concurrent::Wait)
        }
        Some((word, None)) if word == "wait" => Err(syn::Error::new_spanned(
            expr,
            "`wait` needs to know for how long: `concurrent = wait(\"5s\")`",
        )),
        _ => Err(syn::Error::new_spanned(expr, words)),
    }
}

/// A word, bare or in quotes, and what stands in parentheses behind it: `rerun`, `"rerun"`, `wait("5s")`.
pub(super) fn word(expr: &Expr) -> Option<(String, Option<Expr>)> {
    match expr {
        Expr::Path(path) => Some((path.path.get_ident()?.to_string(), None)),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some((text.value(), None)),
        Expr::Continue(_) => Some(("continue".to_owned(), None)),
        Expr::Return(last) if last.expr.is_none() => Some(("return".to_owned(), None)),
        Expr::Call(call) => {
            let Expr::Path(name) = &*call.func else { return None };
            let mut values = call.args.iter();
            let (Some(value), None) = (values.next(), values.next()) else { return None };
            Some((name.path.get_ident()?.to_string(), Some(value.clone())))
        }
        _ => None,
    }
}

/// One of a few words.
fn one_of<T: Copy>(key: &str, expr: &Expr, words: &[(&str, T)]) -> syn::Result<T> {
    let written = word(expr).filter(|(_, value)| value.is_none()).map(|(word, _)| word);
    let found =
        written.as_deref().and_then(|written| words.iter().find(|(word, _)| *word == written));
    found.map(|(_, value)| *value).ok_or_else(|| unknown(key, expr, &names(words)))
}

fn names<'w, T>(words: &[(&'w str, T)]) -> Vec<&'w str> {
    words.iter().map(|(word, _)| *word).collect()
}

/// The message for a word that is none of these.
pub(super) fn unknown(key: &str, expr: &Expr, words: &[&str]) -> syn::Error {
    let bare: Vec<&str> = words.iter().map(|word| word.split('(').next().unwrap_or(word)).collect();
    let near = word(expr).and_then(|(word, _)| nearest(&word, &bare));
    let near = near.and_then(|near| words.iter().find(|word| word.starts_with(near)));
    let message = match near {
        Some(near) => format!("did you mean `{key} = {near}`?"),
        None => format!("expected one of `{}`", words.join("`, `")),
    };
    syn::Error::new_spanned(expr, message)
}
