//! Putting the user's body into generated code.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::tokens::{refill, respan};

/// A body, and what generated code must know to put something around it.
pub(crate) struct Site {
    pub(crate) is_async: bool,
    /// The return type, with `_` for what cannot be named.
    pub(crate) returns: TokenStream,
    /// Where the return type stands, so that messages about it point there.
    pub(crate) returns_span: Span,
    pub(crate) body: Group,
    pub(crate) name: String,
    /// The path of the runtime's private module.
    pub(crate) private: TokenStream,
    pub(crate) generics: Vec<Ident>,
    /// Arguments that get a clone for each attempt, and whether the clone is `mut`.
    pub(crate) clones: Vec<Clone>,
}

/// An argument cloned for each attempt: `let [mut] name = from.clone()`.
pub(crate) struct Clone {
    pub(crate) name: Ident,
    pub(crate) from: Ident,
    pub(crate) mutable: bool,
}

/// A name for a local of ours. Prefixed as well, because hygiene does not keep a local apart from
/// an item of the user's.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(&format!("resilience_{name}"), Span::mixed_site())
}

impl Site {
    /// The path of the runtime's private module, so that what begins with it stands at `span`.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        respan(self.private.clone(), span)
    }

    /// One run of the body, as an expression: `?` and `return` end this run only.
    ///
    /// The arguments are borrowed, so that the next run finds them. `first` stands in front of the
    /// body, which can see its locals.
    pub(crate) fn attempt(&self, first: Option<&TokenStream>) -> TokenStream {
        let Self { returns, body, clones, .. } = self;
        let mut block = self.return_edge();
        for Clone { name, from, mutable } in clones {
            let mutable = mutable.then(|| quote!(mut));
            block.extend(quote_spanned!(name.span()=>
                let #mutable #name = ::core::clone::Clone::clone(&#from);
            ));
        }
        block.extend(first.cloned());
        block.extend(body.stream());
        let mut block = refill(body, block);
        // At the body's place, but ours: the user's own items still come first in the user's block.
        block.set_span(body.span().resolved_at(Span::mixed_site()));
        if self.is_async { quote!(async #block.await) } else { quote!((|| -> #returns #block)()) }
    }

    /// A `return` that is never reached. It tells the compiler the type of the block, so that type
    /// errors in the body read as in the function itself.
    fn return_edge(&self) -> TokenStream {
        let (returns, never) = (&self.returns, self.private_at(self.returns_span));
        quote_spanned!(self.returns_span=>
            #[allow(clippy::needless_return)]
            if false {
                return #never::never::<#returns>();
            }
        )
    }
}

/// Tokens in braces.
pub(crate) fn braced(tokens: TokenStream) -> Group {
    Group::new(Delimiter::Brace, tokens)
}
