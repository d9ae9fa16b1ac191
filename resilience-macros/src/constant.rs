//! Constants in generated code: evaluated by `cargo check`, under names hidden from the body.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use crate::tokens::any_ident;

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
pub(crate) fn reference(ty: &TokenStream, value: &TokenStream, inline: bool) -> TokenStream {
    if inline {
        quote!(&const { #value })
    } else {
        quote!({ const __RESILIENCE_CONSTANT: #ty = #value; &__RESILIENCE_CONSTANT })
    }
}

/// Returns a check without a result, as a statement.
pub(crate) fn check(call: &TokenStream, generic: bool) -> TokenStream {
    if generic { quote!(const { #call };) } else { quote!(const _: () = #call;) }
}
