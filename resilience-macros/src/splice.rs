//! Putting the user's body into generated code.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, LitStr};

use crate::function::Binding;
use crate::mark::{Mark, SlotMark};
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
    /// The parameters whose place may be moved from or borrowed exclusively while the body runs.
    pub(crate) unshared: Vec<Ident>,
    /// What the parameters bind, the receiver included.
    pub(crate) bindings: Vec<Binding>,
    /// The parameters that the attribute is not to look at.
    pub(crate) skipped: Vec<Ident>,
    /// Arguments that get a clone for each attempt, and whether the clone is `mut`.
    pub(crate) clones: Vec<Clone>,
    /// The place among the siblings.
    pub(crate) mark: Mark,
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

/// What stands first in every body that a layer of ours is around: by it an expanded function is known.
pub(crate) const EDGE: &str = "resilience_never";

impl Site {
    /// The path of the runtime's private module, so that what begins with it stands at `span`.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        respan(self.private.clone(), span)
    }

    /// One run of several of the body, as an expression: `?` and `return` end this run only.
    ///
    /// The arguments are borrowed, so that the next run finds them. `first` stands in front of the
    /// body, which can see its locals.
    pub(crate) fn attempt(&self, first: Option<&TokenStream>) -> TokenStream {
        let (block, returns) = (self.block(first), &self.returns);
        if self.mark.direct {
            quote!(#block)
        } else if self.is_async {
            quote!(async #block.await)
        } else {
            quote!((|| -> #returns #block)())
        }
    }

    /// The only run of the body, as an expression. The arguments are moved in, unless somebody needs
    /// them again.
    pub(crate) fn run(&self) -> TokenStream {
        let (block, returns, private) = (self.block(None), &self.returns, &self.private);
        if self.mark.direct {
            return quote!(#block);
        }
        let moved = self.moved();
        if self.is_async {
            quote!(async #moved #block.await)
        } else {
            quote!(#private::once(#moved || -> #returns #block))
        }
    }

    /// The only run of the body, as a future that has not begun.
    pub(crate) fn future(&self) -> TokenStream {
        self.future_behind(None)
    }

    /// The same, with `first` in front of the body, which can see its locals.
    pub(crate) fn future_behind(&self, first: Option<&TokenStream>) -> TokenStream {
        let (block, moved) = (self.block(first), self.moved());
        quote!(async #moved #block)
    }

    /// The only run of the body of a sync function, as a closure that has not been called.
    pub(crate) fn closure(&self) -> TokenStream {
        let (block, moved, returns) = (self.block(None), self.moved(), &self.returns);
        quote!(#moved || -> #returns #block)
    }

    fn moved(&self) -> Option<TokenStream> {
        (!self.mark.lend).then(|| quote!(move))
    }

    /// The body in braces, behind what a run needs.
    fn block(&self, first: Option<&TokenStream>) -> Group {
        let Self { body, clones, .. } = self;
        let mut block = TokenStream::new();
        if self.mark.inner.is_empty() || !self.mark.direct {
            block.extend(self.return_edge());
        }
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
        block
    }

    /// The predicate for errors; without one, the error's own `Classify` where it has one.
    pub(crate) fn meaning(&self, on: Option<&Expr>) -> TokenStream {
        let error = local("error");
        let class = self.own_class(&error);
        on.map_or_else(|| quote!(|#error| #class), ToTokens::to_token_stream)
    }

    /// The meaning that an error has by itself, where it has one, else transient.
    pub(crate) fn own_class(&self, error: &Ident) -> TokenStream {
        let private = &self.private;
        quote!({
            #[allow(unused_imports)]
            use #private::Unclassified as _;
            #private::Probe(#error).class()
        })
    }

    /// Whether `out` is a success, as an expression: spanned at the return type, so that a type that
    /// is no outcome is underlined there, once.
    pub(crate) fn is_ok(&self, out: &Ident) -> TokenStream {
        let (returns, at) = (&self.returns, self.returns_span);
        let private = self.private_at(at);
        quote_spanned!(at=> <#returns as #private::Outcome>::is_ok(&#out))
    }

    /// Declares the local by which layers inside tell of a rejection, where this layer has to.
    pub(crate) fn declare_slot(&self) -> Option<TokenStream> {
        let SlotMark { name, .. } = self.mark.slot.as_ref().filter(|slot| slot.declared)?;
        let private = &self.private;
        // A reference, so that a block that moves what it names moves no more than that.
        Some(quote!(let #name = #private::RejectionSignal::new(); let #name = &#name;))
    }

    /// The local that this layer listens to.
    pub(crate) fn listened_slot(&self) -> Option<&Ident> {
        self.mark.slot.as_ref().filter(|slot| slot.listens).map(|slot| &slot.name)
    }

    /// The same as an `Option` of the expansion.
    pub(crate) fn heard_slot(&self) -> TokenStream {
        let private = &self.private;
        let slot = self.listened_slot();
        slot.map_or_else(|| quote!(#private::None), |name| quote!(#private::Some(#name)))
    }

    /// The statement by which this layer takes back what a layer inside has told.
    pub(crate) fn clear_slot(&self) -> Option<TokenStream> {
        let SlotMark { name, .. } = self.mark.slot.as_ref().filter(|slot| slot.heard)?;
        Some(quote!(#name.clear();))
    }

    /// The outcome of a call that this layer turns away, as an expression: `rejected` as the
    /// function's own failure, or `None`. The layers outside are told.
    pub(crate) fn reject(&self, rejected: &Ident, error: Option<&Expr>) -> TokenStream {
        let (returns, at) = (&self.returns, self.returns_span);
        let private = self.private_at(at);
        let slot = self.mark.slot.as_ref().filter(|slot| slot.heard);
        let told = slot.map(|SlotMark { name, .. }| quote!(#name.set(&#rejected);));
        let outcome = error.map_or_else(
            || quote_spanned!(at=> #private::reject::<#returns>(#rejected)),
            |error| quote_spanned!(at=> #private::reject_with::<#returns>(#rejected, #error)),
        );
        quote!({ #told #outcome })
    }

    /// The name of the function in events and rejections, as an expression; `name` where the user
    /// has given one.
    pub(crate) fn policy_name(&self, name: Option<&LitStr>) -> TokenStream {
        let path = &self.name;
        let path = || quote!(::core::concat!(::core::module_path!(), "::", #path));
        name.map_or_else(path, ToTokens::to_token_stream)
    }

    /// A `return` that is never reached. It tells the compiler the type of the block, so that type
    /// errors in the body read as in the function itself.
    fn return_edge(&self) -> TokenStream {
        let (returns, private) = (&self.returns, self.private_at(self.returns_span));
        let never = Ident::new(EDGE, self.returns_span);
        quote_spanned!(self.returns_span=>
            #[allow(clippy::needless_return)]
            if false {
                return #private::#never::<#returns>();
            }
        )
    }
}

/// Tokens in braces.
pub(crate) fn braced(tokens: TokenStream) -> Group {
    Group::new(Delimiter::Brace, tokens)
}
