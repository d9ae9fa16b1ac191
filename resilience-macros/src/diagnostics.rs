//! Collected mistakes: a compilation reports all of them.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use resilience_rules::RuleResult;

/// The mistakes found so far, each with the span of the wrong tokens.
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// The span of the attribute, for mistakes of the attribute as a whole.
    attribute: Span,
}

impl Errors {
    pub(crate) fn at(attribute: Span) -> Self {
        Self { found: Vec::new(), attribute }
    }

    /// Adds a mistake of the attribute as a whole, such as a missing key.
    pub(crate) fn on_attribute(&mut self, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new(self.attribute, message));
    }

    /// Adds a mistake in these tokens.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a broken rule. Returns whether the rule holds.
    pub(crate) fn check(&mut self, tokens: impl ToTokens, result: RuleResult) -> bool {
        match result {
            Ok(()) => true,
            Err(broken) => {
                self.add(tokens, broken);
                false
            }
        }
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// Returns the value, or adds the mistake.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.found.push(error)).ok()
    }

    /// Returns code for the compiler to report the mistakes, or `None` without mistakes.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        (!self.found.is_empty())
            .then(|| self.found.iter().map(syn::Error::to_compile_error).collect())
    }
}
