//! The policy in the expansion: a constant, built from the keys, or the user's own.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

use super::keys::{Attempts, Backoff, Jitter, Keys};
use crate::args::{Args, Keyed};
use crate::constant::{self, may_be_generic};
use crate::diagnostics::Errors;
use crate::splice::{Site, local};
use crate::value::{self, Constant};

/// Where the policy comes from.
pub(super) enum Policy {
    /// `policy = expr`
    Given(Expr),
    /// The keys of the attribute.
    Built(Box<Keys>),
}

impl Policy {
    pub(super) fn validate(args: &mut Args, errors: &mut Errors) -> Self {
        let keys = Keys::read(args, errors);
        let Some(policy) = args.value("policy", errors, given) else {
            keys.check(errors);
            return Self::Built(Box::new(keys));
        };
        for key in keys.given() {
            errors.add(
                key,
                format!(
                    "`{key}` and `policy` exclude each other: say it on the policy, `.{key}(…)`"
                ),
            );
        }
        Self::Given(policy.value)
    }

    pub(super) fn generate(&self, site: &Site, name: Option<&LitStr>) -> Plan {
        let private = &site.private;
        let waits = if site.is_async { quote!(Async) } else { quote!(Blocking) };
        let path = &site.name;
        let path = quote!(::core::concat!(::core::module_path!(), "::", #path));
        let named = name.map(|name| quote!(.name(#name)));
        let place = quote!(#named.at(#path, #private::Waits::#waits));
        match self {
            Self::Given(policy) => {
                let (name, spending) = (local("policy"), local("spending"));
                Plan {
                    setup: quote! {
                        let #name = &#policy;
                        let #spending = #private::RetryState::spending(#name);
                    },
                    begin: quote!(#private::RetryState::begin(#name)),
                    constant: quote!(#name),
                    policy: quote!(&#name.lent() #place),
                    spends: true,
                }
            }
            Self::Built(keys) => keys.generate(site, &place),
        }
    }
}

fn given(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(literal) => Err(syn::Error::new_spanned(
            literal,
            "expected a `RetryPolicy`: `policy = &RETRY`, `policy = self.retry`",
        )),
        other => Ok(other),
    }
}

/// What the loop is made of.
pub(super) struct Plan {
    /// The statements before it.
    pub(super) setup: TokenStream,
    /// The state at its start.
    pub(super) begin: TokenStream,
    /// A reference to the policy as far as it is constant.
    pub(super) constant: TokenStream,
    /// A reference to the policy.
    pub(super) policy: TokenStream,
    /// Whether there is, or may be, a budget: the local `spending`.
    pub(super) spends: bool,
}

impl Keys {
    fn generate(&self, site: &Site, place: &TokenStream) -> Plan {
        let private = &site.private;
        let mut builder = Builder::new(site);
        match &self.attempts {
            Some(Keyed { value: Attempts::Unlimited, .. }) => builder.set("unlimited", None),
            Some(Keyed { value: Attempts::Count(count), .. }) => {
                builder.checked("attempts", count, &count.to_token_stream());
            }
            None => {}
        }
        let mut setup = TokenStream::new();
        let mut adjusted = TokenStream::new();
        match self.backoff.as_ref().map(|keyed| &keyed.value) {
            Some(Backoff::Named(growth)) => builder.set(growth, None),
            Some(Backoff::List(delays)) => {
                builder.generic |= delays.iter().any(|delay| builder.is_generic(delay));
                let delays = delays.iter().map(|delay| builder.time(delay));
                let delays = quote!(&[#(#delays),*]);
                builder.set("list", Some(&delays));
            }
            Some(Backoff::Custom(backoff)) => {
                let name = local("backoff");
                setup.extend(quote!(let #name = #backoff;));
                // Spanned at the expression: what is no `Backoff` is underlined there.
                let at = Span::mixed_site().located_at(backoff.span());
                let mut there = name.clone();
                there.set_span(at);
                let lent = quote_spanned!(at=> &#there);
                adjusted.extend(quote!(.backoff(#private::Lent(#lent))));
            }
            None => {}
        }
        if let Some(Keyed { value: factor, .. }) = &self.factor {
            let tokens = match factor {
                Constant::Literal(factor, at) => quote_spanned!(at.span()=> #factor),
                other => other.to_token_stream(),
            };
            builder.checked("factor", factor, &tokens);
        }
        for (key, delay) in [
            ("base_delay", &self.base_delay),
            ("max_delay", &self.max_delay),
            ("max_retry_after", &self.max_retry_after),
        ] {
            if let Some(Keyed { value: delay, .. }) = delay {
                let time = builder.time(delay);
                builder.generic |= builder.is_generic(delay);
                builder.set_at(delay.source().span(), key, Some(&time));
            }
        }
        if let Some(Keyed { value: jitter, .. }) = &self.jitter {
            let jitter = jitter.generate(&mut builder);
            builder.set("jitter", Some(&jitter));
        }
        if let Some(Keyed { value: deadline, .. }) = &self.deadline {
            let time = builder.time(deadline);
            builder.checked("deadline", deadline, &time);
        }
        self.check_constants(&mut builder);
        match self.idempotent.as_ref().map(|keyed| &keyed.value) {
            Some(Expr::Lit(flag)) => builder.set("idempotent", Some(&flag.to_token_stream())),
            Some(condition) => adjusted.extend(quote!(.idempotent(#condition))),
            None => {}
        }
        if let Some(Keyed { value: wait, .. }) = &self.on_rejection {
            builder.set("wait_for_rejections", Some(&quote!(#wait)));
        }
        if let Some(Keyed { value: budget, .. }) = &self.budget {
            let (name, spending) = (local("budget"), local("spending"));
            setup.extend(budget.generate(site));
            setup.extend(quote! {
                let #spending = #private::Spending::new(::core::option::Option::Some(#name));
            });
        }
        let constant = builder.finish(place);
        let policy =
            if adjusted.is_empty() { constant.clone() } else { quote!(&(*#constant) #adjusted) };
        let begin = if self.deadline.is_some() { quote!(timed) } else { quote!(new) };
        Plan {
            setup,
            begin: quote!(#private::RetryState::#begin()),
            constant,
            policy,
            spends: self.budget.is_some(),
        }
    }

    /// The rules between two keys of which one at least is no literal.
    fn check_constants(&self, builder: &mut Builder<'_>) {
        for (rule, second) in
            [("base_within_max", &self.max_delay), ("base_within_deadline", &self.deadline)]
        {
            let (Some(base), Some(second)) = (&self.base_delay, second) else { continue };
            let (base, second) = (&base.value, &second.value);
            if base.literal().is_none() || second.literal().is_none() {
                let (first_time, second_time) = (builder.time(base), builder.time(second));
                builder.require(rule, base, second, &quote!(#first_time, #second_time));
            }
        }
    }
}

/// Builds the policy as nested calls, each spanned at its value, so that a broken rule is reported
/// there.
struct Builder<'s> {
    site: &'s Site,
    policy: TokenStream,
    checks: TokenStream,
    generic: bool,
}

impl<'s> Builder<'s> {
    fn new(site: &'s Site) -> Self {
        let private = &site.private;
        let policy = quote!(#private::RetryPolicy::new());
        Self { site, policy, checks: TokenStream::new(), generic: false }
    }

    fn set(&mut self, method: &str, value: Option<&TokenStream>) {
        self.set_at(Span::call_site(), method, value);
    }

    fn set_at(&mut self, at: Span, method: &str, value: Option<&TokenStream>) {
        let at = at.resolved_at(Span::call_site());
        let (private, policy) = (self.site.private_at(at), &self.policy);
        let method = Ident::new(method, at);
        let value = value.map(|value| quote!(, #value));
        self.policy = quote_spanned!(at=> #private::RetryPolicy::#method(#policy #value));
    }

    /// A value that has a rule of its own, under the key's name. Literals have been checked.
    fn checked<T>(&mut self, key: &str, value: &Constant<T>, tokens: &TokenStream) {
        let at = value.source().span();
        let tokens = match value {
            Constant::Literal(..) => tokens.clone(),
            Constant::Expr(_) | Constant::Braced(_) => self.check(key, at, tokens),
        };
        self.generic |= self.is_generic(value);
        self.set_at(at, key, Some(&tokens));
    }

    fn check(&self, rule: &str, at: Span, value: &TokenStream) -> TokenStream {
        let at = at.resolved_at(Span::call_site());
        let private = self.site.private_at(at);
        let rule = Ident::new(rule, at);
        quote_spanned!(at=> #private::check::#rule(#value))
    }

    /// A rule between two values, of which one at least is no literal.
    fn require<T>(
        &mut self,
        rule: &str,
        first: &Constant<T>,
        second: &Constant<T>,
        values: &TokenStream,
    ) {
        let call = self.check(rule, first.source().span(), values);
        let generic = self.is_generic(first) || self.is_generic(second);
        self.checks.extend(constant::check(&call, generic));
    }

    fn is_generic<T>(&self, value: &Constant<T>) -> bool {
        match value {
            Constant::Literal(..) => false,
            Constant::Expr(expr) => may_be_generic(expr, &self.site.generics),
            Constant::Braced(_) => true,
        }
    }

    fn time(&self, value: &Constant<Duration>) -> TokenStream {
        match value {
            Constant::Literal(time, at) => value::duration_tokens(*time, at, &self.site.private),
            Constant::Expr(expr) | Constant::Braced(expr) => expr.to_token_stream(),
        }
    }

    /// A reference to the policy, at its place.
    fn finish(self, place: &TokenStream) -> TokenStream {
        let Self { site: Site { private, .. }, policy, checks, generic } = self;
        let policy = quote!(#policy #place);
        let policy = constant::reference(&quote!(#private::RetryPolicy), &policy, generic);
        if checks.is_empty() { policy } else { quote!({ #checks #policy }) }
    }
}

impl Jitter {
    fn generate(&self, builder: &mut Builder<'_>) -> TokenStream {
        let private = &builder.site.private;
        match self {
            Self::Named(variant) => {
                let variant = Ident::new(variant, Span::call_site());
                quote!(#private::Jitter::#variant)
            }
            Self::Ratio(ratio) => quote!(#private::Jitter::Ratio(#ratio)),
            Self::UpTo(width) => {
                let (seconds, nanos) = (width.as_secs(), width.subsec_nanos());
                quote!(#private::Jitter::UpTo(#private::Duration::new(#seconds, #nanos)))
            }
            Self::Expr(expr) => {
                builder.generic |= may_be_generic(expr, &builder.site.generics);
                builder.check("jitter", expr.span(), &expr.to_token_stream())
            }
        }
    }
}
