//! A policy in generated code, built from the keys of the attribute. `cargo check` evaluates the
//! policy, and the body cannot use the names of its items.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::args::Keyed;
use crate::codegen::Context;
use crate::tokens::any_ident;
use crate::value::{Constant, ConstantType};

/// Builds a policy as nested calls. Each call has the span of the value, so the compiler reports a
/// broken rule at the value.
pub(crate) struct Builder<'c> {
    /// The type of the policy.
    ty: Ident,
    pub(crate) context: &'c Context,
    policy: TokenStream,
    checks: TokenStream,
    /// Whether a value may name a generic parameter.
    pub(crate) generic: bool,
    /// Whether the compiler must check a value: literals are checked already.
    pub(crate) unchecked: bool,
}

impl<'c> Builder<'c> {
    pub(crate) fn new(ty: &str, context: &'c Context) -> Self {
        Self::with(ty, context, |_| Vec::new())
    }

    /// Creates a builder for a type whose `new` takes arguments.
    pub(crate) fn with(
        ty: &str,
        context: &'c Context,
        arguments: impl FnOnce(&mut Self) -> Vec<TokenStream>,
    ) -> Self {
        let ty = Ident::new(ty, Span::call_site());
        let (policy, checks) = (TokenStream::new(), TokenStream::new());
        let mut builder = Self { ty, context, policy, checks, generic: false, unchecked: false };
        let arguments = arguments(&mut builder);
        let (private, ty) = (&context.private, &builder.ty);
        builder.policy = quote!(#private::#ty::new(#(#arguments),*));
        builder
    }

    pub(crate) fn set(&mut self, method: &str, value: Option<&TokenStream>) {
        self.set_at(Span::call_site(), method, value);
    }

    pub(crate) fn set_at(&mut self, at: Span, method: &str, value: Option<&TokenStream>) {
        let at = at.resolved_at(Span::call_site());
        let (private, ty, policy) = (self.context.private_at(at), &self.ty, &self.policy);
        let method = Ident::new(method, at);
        let value = value.map(|value| quote!(, #value));
        self.policy = quote_spanned!(at=> #private::#ty::#method(#policy #value));
    }

    /// Wraps the policy built so far.
    pub(crate) fn wrap(&mut self, around: impl FnOnce(&TokenStream) -> TokenStream) {
        self.policy = around(&self.policy);
    }

    /// Sets a constant with the method named like the key, if the key is given. `rule` is the check
    /// of an expression in generated code.
    pub(crate) fn constant<T: ConstantType>(
        &mut self,
        key: &str,
        keyed: Option<&Keyed<Constant<T>>>,
        rule: Option<&str>,
    ) {
        let Some(Keyed { value, .. }) = keyed else { return };
        let tokens = self.argument(value, rule);
        self.set_at(value.source().span(), key, Some(&tokens));
    }

    /// Returns the tokens of a constant. An expression is inside the check of `rule`.
    pub(crate) fn argument<T: ConstantType>(
        &mut self,
        value: &Constant<T>,
        rule: Option<&str>,
    ) -> TokenStream {
        let tokens = T::tokens(value, &self.context.private);
        self.generic |= self.is_generic(value);
        if value.literal().is_some() {
            return tokens;
        }
        self.unchecked = true;
        match rule {
            Some(rule) => self.check(rule, value.source().span(), &tokens),
            None => tokens,
        }
    }

    /// Returns a value inside the check of a rule.
    pub(crate) fn check(&self, rule: &str, at: Span, value: &TokenStream) -> TokenStream {
        let at = at.resolved_at(Span::call_site());
        let private = self.context.private_at(at);
        let rule = Ident::new(rule, at);
        quote_spanned!(at=> #private::check::#rule(#value))
    }

    /// Adds the check of a rule between two constants, unless both are literals.
    pub(crate) fn require<T: ConstantType, U: ConstantType>(
        &mut self,
        rule: &str,
        first: Option<&Constant<T>>,
        second: Option<&Constant<U>>,
    ) {
        let (Some(first), Some(second)) = (first, second) else { return };
        let private = &self.context.private;
        let values = [T::tokens(first, private), U::tokens(second, private)];
        self.require_values(rule, first, second, &values);
    }

    /// Adds the check of a rule between two values, unless `first` and `second` are literals. The
    /// compiler reports a broken rule at the first of the two without a literal.
    pub(crate) fn require_values<T, U>(
        &mut self,
        rule: &str,
        first: &Constant<T>,
        second: &Constant<U>,
        values: &[TokenStream; 2],
    ) {
        let at = match (first.literal(), second.literal()) {
            (Some(_), Some(_)) => return,
            (Some(_), None) => second.source(),
            (None, _) => first.source(),
        };
        self.unchecked = true;
        let [first_value, second_value] = values;
        let call = self.check(rule, at.span(), &quote!(#first_value, #second_value));
        let generic = self.is_generic(first) || self.is_generic(second);
        self.checks.extend(constant_check(&call, generic));
    }

    pub(crate) fn is_generic<T>(&self, value: &Constant<T>) -> bool {
        match value {
            Constant::Literal(..) => false,
            Constant::Expr(expr) => may_be_generic(expr, &self.context.generics),
            Constant::Braced(_) => true,
        }
    }

    /// Returns a reference to the policy as a constant. `location` adds the name of the function.
    pub(crate) fn into_constant(self, location: &TokenStream) -> TokenStream {
        let Self { ty, context: Context { private, .. }, policy, checks, generic, unchecked } =
            self;
        let policy = quote!(#policy #location);
        let policy = constant_reference(&quote!(#private::#ty), &policy, generic || !unchecked);
        if checks.is_empty() { policy } else { quote!({ #checks #policy }) }
    }

    /// Returns the policy under the function's name, for a `static`, and the checks as items.
    pub(crate) fn into_static(self, name: &TokenStream) -> (TokenStream, TokenStream) {
        let policy = self.policy;
        let depth = self.context.depth();
        (quote!(#policy.at(#name, #depth)), self.checks)
    }
}

/// Returns whether an expression may name a generic parameter: `Self`, a parameter of the function,
/// or a word of one letter. An item cannot name generic parameters.
pub(crate) fn may_be_generic(tokens: &impl ToTokens, generics: &[Ident]) -> bool {
    any_ident(&tokens.to_token_stream(), &|ident| {
        let word = ident.to_string();
        let one_letter = word.len() == 1 && word.chars().all(char::is_uppercase);
        ident == "Self" || one_letter || generics.contains(ident)
    })
}

/// Returns a reference to a constant of type `ty`, as an expression.
///
/// `cargo check` evaluates an item, but not an inline constant, which waits for code generation. An
/// inline constant may name generic parameters, and compiles faster for values without checks.
fn constant_reference(ty: &TokenStream, value: &TokenStream, inline: bool) -> TokenStream {
    if inline {
        quote!(&const { #value })
    } else {
        quote!({ const __RESILIENCE_CONSTANT: #ty = #value; &__RESILIENCE_CONSTANT })
    }
}

/// Returns a check without a result, as a statement.
fn constant_check(call: &TokenStream, generic: bool) -> TokenStream {
    if generic { quote!(const { #call };) } else { quote!(const _: () = #call;) }
}
