//! Generated code around the body of the user's function.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, LitStr};

use crate::function::Binding;
use crate::stack_info::{SignalVar, StackInfo};
use crate::tokens::{refill, respan};

/// A body with the facts that generated code needs to wrap the body.
pub(crate) struct Context {
    pub(crate) is_async: bool,
    /// The return type, with `_` in place of types without a name.
    pub(crate) returns: TokenStream,
    /// The span of the return type, for errors about the type.
    pub(crate) returns_span: Span,
    pub(crate) body: Group,
    pub(crate) name: String,
    /// The path of the runtime's private module.
    pub(crate) private: TokenStream,
    pub(crate) generics: Vec<Ident>,
    /// The parameters that the body may move from or borrow exclusively.
    pub(crate) unshared: Vec<Ident>,
    /// The names bound by the parameters, the receiver included.
    pub(crate) bindings: Vec<Binding>,
    /// The parameters excluded by a marker of the user.
    pub(crate) skipped: Vec<Ident>,
    /// The arguments cloned for each attempt.
    pub(crate) clones: Vec<ClonedArg>,
    /// The position among the siblings.
    pub(crate) stack: StackInfo,
}

/// An argument cloned for each attempt: `let [mut] name = from.clone()`.
pub(crate) struct ClonedArg {
    pub(crate) name: Ident,
    pub(crate) from: Ident,
    pub(crate) mutable: bool,
}

/// Returns the name of a generated local. The name also has a prefix, because hygiene does not
/// separate a generated local from an item of the user.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(&format!("resilience_{name}"), Span::mixed_site())
}

/// The first call in every wrapped body. The name identifies an expanded function.
pub(crate) const BODY_MARKER: &str = "resilience_never";

impl Context {
    /// Returns the path of the runtime's private module, with errors reported at `span`.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        respan(self.private.clone(), span)
    }

    /// Returns a repeatable run of the body, as an expression: `?` and `return` end this run only.
    ///
    /// The arguments are borrowed, because the next run needs them. `first` precedes the body, and
    /// the body can use the locals of `first`.
    pub(crate) fn attempt(&self, first: Option<&TokenStream>) -> TokenStream {
        let (block, returns) = (self.block(first), &self.returns);
        if self.stack.adjacent {
            quote!(#block)
        } else if self.is_async {
            quote!(async #block.await)
        } else {
            quote!((|| -> #returns #block)())
        }
    }

    /// Returns the only run of the body, as an expression. The arguments are moved in, unless code
    /// outside needs them again.
    pub(crate) fn run(&self) -> TokenStream {
        let (block, returns, private) = (self.block(None), &self.returns, &self.private);
        if self.stack.adjacent {
            return quote!(#block);
        }
        let moved = self.moved();
        if self.is_async {
            quote!(async #moved #block.await)
        } else {
            quote!(#private::once(#moved || -> #returns #block))
        }
    }

    /// Returns the only run of the body, as a lazy future.
    pub(crate) fn future(&self) -> TokenStream {
        self.future_after(None)
    }

    /// Returns the only run of the body, as a lazy future. `first` precedes the body, and the body
    /// can use the locals of `first`.
    pub(crate) fn future_after(&self, first: Option<&TokenStream>) -> TokenStream {
        let (block, moved) = (self.block(first), self.moved());
        quote!(async #moved #block)
    }

    /// Returns the only run of the body of a sync function, as a closure.
    pub(crate) fn closure(&self) -> TokenStream {
        let (block, moved, returns) = (self.block(None), self.moved(), &self.returns);
        quote!(#moved || -> #returns #block)
    }

    fn moved(&self) -> Option<TokenStream> {
        (!self.stack.borrow_args).then(|| quote!(move))
    }

    /// Returns the body in braces, after the clones and the statements of `first`.
    fn block(&self, first: Option<&TokenStream>) -> Group {
        let Self { body, clones, .. } = self;
        let mut block = TokenStream::new();
        if self.stack.inner.is_empty() || !self.stack.adjacent {
            block.extend(self.body_marker());
        }
        for ClonedArg { name, from, mutable } in clones {
            let mutable = mutable.then(|| quote!(mut));
            block.extend(quote_spanned!(name.span()=>
                let #mutable #name = ::core::clone::Clone::clone(&#from);
            ));
        }
        block.extend(first.cloned());
        let mut inside = body.clone();
        inside.set_span(body.span().resolved_at(Span::mixed_site()));
        inside.to_tokens(&mut block);
        refill(body, block)
    }

    /// Returns the predicate for errors: `on`, or the `Classify` impl of the error type.
    pub(crate) fn predicate(&self, on: Option<&Expr>) -> TokenStream {
        let error = local("error");
        let class = self.classify(&error);
        on.map_or_else(|| quote!(|#error| #class), ToTokens::to_token_stream)
    }

    /// Returns the class of an error: from the `Classify` impl of the type, or transient.
    pub(crate) fn classify(&self, error: &Ident) -> TokenStream {
        let private = &self.private;
        quote!({
            #[allow(unused_imports)]
            use #private::Unclassified as _;
            #private::Probe(#error).class()
        })
    }

    /// Returns the test for a success, as an expression. The span of the return type makes the
    /// compiler underline a type without an `Outcome` impl once, in the signature.
    pub(crate) fn is_ok(&self, out: &Ident) -> TokenStream {
        let (returns, at) = (&self.returns, self.returns_span);
        let private = self.private_at(at);
        quote_spanned!(at=> <#returns as #private::Outcome>::is_ok(&#out))
    }

    /// Returns the declaration of the rejection signal, if this layer declares the signal.
    pub(crate) fn declare_signal(&self) -> Option<TokenStream> {
        let SignalVar { name, .. } = self.stack.signal.as_ref().filter(|var| var.declared)?;
        let private = &self.private;
        // A `move` block takes this reference, not the signal.
        Some(quote!(let #name = #private::RejectionSignal::new(); let #name = &#name;))
    }

    /// Returns the rejection signal, if this layer reads the signal.
    pub(crate) fn read_signal(&self) -> Option<&Ident> {
        self.stack.signal.as_ref().filter(|var| var.read).map(|var| &var.name)
    }

    /// Returns the rejection signal as an `Option` in generated code.
    pub(crate) fn signal_option(&self) -> TokenStream {
        let private = &self.private;
        let signal = self.read_signal();
        signal.map_or_else(|| quote!(#private::None), |name| quote!(#private::Some(#name)))
    }

    /// Returns the statement that removes the rejection of a layer inside from the signal.
    pub(crate) fn clear_signal(&self) -> Option<TokenStream> {
        let SignalVar { name, .. } = self.stack.signal.as_ref().filter(|var| var.written)?;
        Some(quote!(#name.clear();))
    }

    /// Returns the outcome of a call rejected by this layer, as an expression: `rejected`
    /// converted to the function's error type, or `None`. The code also sets the rejection signal.
    pub(crate) fn reject(&self, rejected: &Ident, error: Option<&Expr>) -> TokenStream {
        let (returns, at) = (&self.returns, self.returns_span);
        let private = self.private_at(at);
        let signal = self.stack.signal.as_ref().filter(|var| var.written);
        let set = signal.map(|SignalVar { name, .. }| quote!(#name.set(&#rejected);));
        let outcome = error.map_or_else(
            || quote_spanned!(at=> #private::reject::<#returns>(#rejected)),
            |error| quote_spanned!(at=> #private::reject_with::<#returns>(#rejected, #error)),
        );
        quote!({ #set #outcome })
    }

    /// Returns the name of the function in events and rejections, as an expression: `name`, or the
    /// path of the function.
    pub(crate) fn policy_name(&self, name: Option<&LitStr>) -> TokenStream {
        let path = &self.name;
        let path = || quote!(::core::concat!(::core::module_path!(), "::", #path));
        name.map_or_else(path, ToTokens::to_token_stream)
    }

    /// Returns a dead `return`. The `return` tells the compiler the type of the block, so type
    /// errors in the body read as in a plain function.
    fn body_marker(&self) -> TokenStream {
        let (returns, private) = (&self.returns, self.private_at(self.returns_span));
        let never = Ident::new(BODY_MARKER, self.returns_span);
        quote_spanned!(self.returns_span=>
            #[allow(clippy::needless_return)]
            if false {
                return #private::#never::<#returns>();
            }
        )
    }
}
