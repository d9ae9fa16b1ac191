//! Mistakes, collected so that the user sees all of them at once.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far. Each is anchored on the tokens that are wrong.
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// Where the attribute stands, for what is wrong with it as a whole.
    attribute: Span,
}

impl Errors {
    pub(crate) fn at(attribute: Span) -> Self {
        Self { found: Vec::new(), attribute }
    }

    /// A mistake that no token of the arguments makes.
    pub(crate) fn whole(&mut self, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new(self.attribute, message));
    }

    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// Keeps the value, or notes the mistake.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.found.push(error)).ok()
    }

    /// The mistakes as code that makes the compiler report them; `None` where there are none.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        (!self.found.is_empty())
            .then(|| self.found.iter().map(syn::Error::to_compile_error).collect())
    }
}
