//! Mistakes, collected so that the user sees all of them at once.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. Each is anchored on the tokens that are wrong.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Keeps the value, or notes the mistake.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// The mistakes as code that makes the compiler report them; `None` where there are none.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        (!self.0.is_empty()).then(|| self.0.iter().map(syn::Error::to_compile_error).collect())
    }
}
