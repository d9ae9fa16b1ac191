//! A policy in the expansion, built from the keys.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::constant::{self, may_be_generic};
use crate::splice::Site;
use crate::value::{self, Constant};

/// Builds the policy as nested calls, each spanned at its value, so that a broken rule is reported
/// there.
pub(crate) struct Builder<'s> {
    /// The type of the policy.
    ty: Ident,
    pub(crate) site: &'s Site,
    policy: TokenStream,
    checks: TokenStream,
    /// Whether a value may name a generic parameter.
    pub(crate) generic: bool,
    /// Whether a value is something else than a literal, which has been checked.
    pub(crate) unchecked: bool,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(ty: &str, site: &'s Site) -> Self {
        Self::with(ty, site, |_| Vec::new())
    }

    /// One whose `new` has arguments.
    pub(crate) fn with(
        ty: &str,
        site: &'s Site,
        arguments: impl FnOnce(&mut Self) -> Vec<TokenStream>,
    ) -> Self {
        let ty = Ident::new(ty, Span::call_site());
        let (policy, checks) = (TokenStream::new(), TokenStream::new());
        let mut builder = Self { ty, site, policy, checks, generic: false, unchecked: false };
        let arguments = arguments(&mut builder);
        let (private, ty) = (&site.private, &builder.ty);
        builder.policy = quote!(#private::#ty::new(#(#arguments),*));
        builder
    }

    pub(crate) fn set(&mut self, method: &str, value: Option<&TokenStream>) {
        self.set_at(Span::call_site(), method, value);
    }

    pub(crate) fn set_at(&mut self, at: Span, method: &str, value: Option<&TokenStream>) {
        let at = at.resolved_at(Span::call_site());
        let (private, ty, policy) = (self.site.private_at(at), &self.ty, &self.policy);
        let method = Ident::new(method, at);
        let value = value.map(|value| quote!(, #value));
        self.policy = quote_spanned!(at=> #private::#ty::#method(#policy #value));
    }

    /// Puts something else around what has been built so far.
    pub(crate) fn wrap(&mut self, around: impl FnOnce(&TokenStream) -> TokenStream) {
        self.policy = around(&self.policy);
    }

    /// A value that has a rule of its own, under the key's name. Literals have been checked.
    pub(crate) fn checked<T>(&mut self, key: &str, value: &Constant<T>, tokens: &TokenStream) {
        let tokens = self.check_value(key, value, tokens.clone());
        self.generic |= self.is_generic(value);
        self.set_at(value.source().span(), key, Some(&tokens));
    }

    /// A count inside its rule.
    pub(crate) fn check_count(&mut self, rule: &str, count: &Constant<u32>) -> TokenStream {
        self.check_value(rule, count, count.to_token_stream())
    }

    /// A time inside its rule.
    pub(crate) fn check_time(&mut self, rule: &str, time: &Constant<Duration>) -> TokenStream {
        let tokens = self.time(time);
        self.check_value(rule, time, tokens)
    }

    fn check_value<T>(
        &mut self,
        rule: &str,
        value: &Constant<T>,
        tokens: TokenStream,
    ) -> TokenStream {
        match value {
            Constant::Literal(..) => tokens,
            Constant::Expr(_) | Constant::Braced(_) => {
                self.unchecked = true;
                self.check(rule, value.source().span(), &tokens)
            }
        }
    }

    pub(crate) fn check(&self, rule: &str, at: Span, value: &TokenStream) -> TokenStream {
        let at = at.resolved_at(Span::call_site());
        let private = self.site.private_at(at);
        let rule = Ident::new(rule, at);
        quote_spanned!(at=> #private::check::#rule(#value))
    }

    /// A rule between two values, of which one at least is no literal.
    pub(crate) fn require<T, U>(
        &mut self,
        rule: &str,
        first: &Constant<T>,
        second: &Constant<U>,
        values: &TokenStream,
    ) {
        // At the one that a literal does not settle.
        let at = if first.literal().is_some() { second.source() } else { first.source() };
        let call = self.check(rule, at.span(), values);
        let generic = self.is_generic(first) || self.is_generic(second);
        self.checks.extend(constant::check(&call, generic));
    }

    pub(crate) fn is_generic<T>(&self, value: &Constant<T>) -> bool {
        match value {
            Constant::Literal(..) => false,
            Constant::Expr(expr) => may_be_generic(expr, &self.site.generics),
            Constant::Braced(_) => true,
        }
    }

    pub(crate) fn time(&mut self, value: &Constant<Duration>) -> TokenStream {
        self.unchecked |= value.literal().is_none();
        value::time_tokens(value, &self.site.private)
    }

    /// A reference to the policy, at its place.
    pub(crate) fn constant(self, place: &TokenStream) -> TokenStream {
        let Self { ty, site: Site { private, .. }, policy, checks, generic, unchecked } = self;
        let policy = quote!(#policy #place);
        let policy = constant::reference(&quote!(#private::#ty), &policy, generic || !unchecked);
        if checks.is_empty() { policy } else { quote!({ #checks #policy }) }
    }

    /// The policy under the function's name, and the checks as items that stand before it.
    pub(crate) fn named(self, name: &TokenStream) -> (TokenStream, TokenStream) {
        let policy = self.policy;
        (quote!(#policy.at(#name)), self.checks)
    }
}
