//! The policy in the expansion: a constant, built from the keys, or the user's own.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

use super::horizon;
use super::keys::{Attempts, Backoff, Jitter, Keys};
use crate::args::{Args, Keyed};
use crate::builder::Builder;
use crate::constant::may_be_generic;
use crate::diagnostics::Errors;
use crate::splice::{Site, local};
use crate::value::number_tokens;

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

    pub(super) fn horizon(&self) -> Option<Duration> {
        match self {
            Self::Given(_) => None,
            Self::Built(keys) => horizon::of(keys),
        }
    }

    pub(super) fn generate(&self, site: &Site, name: Option<&LitStr>) -> Plan {
        let private = &site.private;
        let waits = if site.is_async { quote!(Async) } else { quote!(Blocking) };
        let path = site.policy_name(None);
        let named = name.map(|name| quote!(.name(#name)));
        let place = quote!(#named.at(#path, #private::WaitMode::#waits));
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
                    policy: quote!(&#name.borrowed() #place),
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
        let mut builder = Builder::new("RetryPolicy", site);
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
                // Only an item makes `'static` of what it borrows from a call.
                builder.unchecked = true;
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
                adjusted.extend(quote!(.backoff(#private::BorrowedBackoff(#lent))));
            }
            None => {}
        }
        if let Some(Keyed { value: factor, .. }) = &self.factor {
            builder.checked("factor", factor, &number_tokens(factor));
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
        let constant = builder.constant(place);
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
                builder.unchecked = true;
                builder.generic |= may_be_generic(expr, &builder.site.generics);
                builder.check("jitter", expr.span(), &expr.to_token_stream())
            }
        }
    }
}
