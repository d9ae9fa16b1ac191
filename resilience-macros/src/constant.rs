//! Constants in the expansion: evaluated by `cargo check`, without a name the body could see.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use crate::tokens::any_ident;

/// Whether an expression may name a generic parameter, which an item cannot: `Self`, a parameter of
/// the function, or a word of one letter.
pub(crate) fn may_be_generic(tokens: &impl ToTokens, generics: &[Ident]) -> bool {
    any_ident(&tokens.to_token_stream(), &|ident| {
        let word = ident.to_string();
        let one_letter = word.len() == 1 && word.chars().all(char::is_uppercase);
        ident == "Self" || one_letter || generics.contains(ident)
    })
}

/// A reference to a constant of type `ty`, as an expression.
///
/// An item is evaluated by `cargo check`; an inline constant only when code is generated, but it
/// may name generic parameters, and is cheaper where there is nothing left to check.
pub(crate) fn reference(ty: &TokenStream, value: &TokenStream, inline: bool) -> TokenStream {
    if inline {
        quote!(&const { #value })
    } else {
        quote!({ const __RESILIENCE_CONSTANT: #ty = #value; &__RESILIENCE_CONSTANT })
    }
}

/// A check that yields nothing, as a statement.
pub(crate) fn check(call: &TokenStream, generic: bool) -> TokenStream {
    if generic { quote!(const { #call };) } else { quote!(const _: () = #call;) }
}
