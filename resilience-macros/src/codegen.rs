//! Generated code around the body of the user's function.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use crate::attrs::Role;
use crate::captures::Captures;
use crate::error_type;
use crate::function::Binding;
use crate::stack_info::{FailureVar, SignalVar, StackInfo};
use crate::tokens::{has_semicolon, may_have_item, mentions, refill, respan};

/// A body with the facts that generated code needs to wrap the body.
pub(crate) struct Context {
    pub(crate) is_async: bool,
    /// The return type, with `_` in place of types without a name.
    pub(crate) returns: TokenStream,
    /// The span of the return type, for errors about the type.
    pub(crate) returns_span: Span,
    /// Whether the function returns `impl IntoResponse`: the innermost layer makes a response of
    /// the result of the body.
    pub(crate) is_handler: bool,
    pub(crate) body: Group,
    pub(crate) name: Ident,
    /// The path of the runtime's private module.
    pub(crate) private: TokenStream,
    pub(crate) generics: Vec<Ident>,
    /// The parameters that the body may move from or borrow exclusively.
    pub(crate) unshared: Vec<Ident>,
    /// The names bound by the parameters, the receiver included.
    pub(crate) bindings: Vec<Binding>,
    /// The parameters excluded by a marker of the user.
    pub(crate) skipped: Vec<Ident>,
    pub(crate) captures: Captures,
    /// The position among the siblings.
    pub(crate) stack: StackInfo,
}

/// The scope of an attempt of a retry.
pub(crate) struct AttemptScope {
    /// The attempt.
    pub(crate) attempt: TokenStream,
    /// Whether only the report of nested retries reads the scope.
    pub(crate) is_plain: bool,
}

/// Returns the name of a generated local. The name also has a prefix, because hygiene does not
/// separate a generated local from an item of the user.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(&format!("resilience_{name}"), Span::mixed_site())
}

/// The first call in every wrapped body. The name identifies an expanded function.
pub(crate) const BODY_MARKER: &str = "resilience_never";

impl Context {
    /// Returns the span of the attribute where the user wrote the attribute. The span of generated
    /// tokens is otherwise that of the first attribute of the function.
    pub(crate) fn attribute_span(&self) -> Span {
        let here = Span::mixed_site();
        self.stack.at.as_ref().map_or(here, |at| here.located_at(at.span()))
    }

    /// Returns the path of the runtime's private module, with errors reported at `span`.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        respan(self.private.clone(), span)
    }

    /// Returns whether an expression names an argument that the body borrows exclusively.
    pub(crate) fn is_exclusive(&self, expr: &Expr) -> bool {
        let names = self.bindings.iter().filter(|binding| binding.pass_mode.is_exclusive());
        let names: Vec<Ident> = names.map(|binding| binding.name.clone()).collect();
        mentions(&expr.to_token_stream(), &names)
    }

    /// Returns a repeatable run of the body, as an expression: `?` and `return` end this run only.
    ///
    /// The arguments are borrowed, because the next run needs them. `first` precedes the body, and
    /// the body can use the locals of `first`.
    ///
    /// The run is in `scope`, if any.
    pub(crate) fn attempt(
        &self,
        first: Option<&TokenStream>,
        scope: Option<&AttemptScope>,
    ) -> TokenStream {
        let (block, begin) = (self.block(first), self.block_keyword());
        if self.is_async {
            return self.async_attempt(&block, quote!(#begin #block), scope);
        }
        let (returns, private) = (&self.returns, &self.private);
        let run = if self.stack.adjacent {
            quote!(#block)
        } else {
            quote!((#begin -> #returns #block)())
        };
        let Some(AttemptScope { attempt, .. }) = scope else { return run };
        // The outcome is a local, so that its temporaries end before the scope.
        let [scope, out] = ["_scope", "out"].map(local);
        quote!({
            let #scope = #private::enter_attempt_of(&#attempt);
            let #out = #run;
            #out
        })
    }

    /// Returns a run of an async body in `scope`, as an expression. An attempt without a future of
    /// its own leaves the scope to the layer around the code of the user.
    fn async_attempt(
        &self,
        block: &Group,
        future: TokenStream,
        scope: Option<&AttemptScope>,
    ) -> TokenStream {
        let (private, is_adjacent) = (&self.private, self.stack.adjacent);
        match (scope, &self.stack.attempt_var) {
            (Some(AttemptScope { attempt, .. }), Some(name)) if is_adjacent => {
                quote!({ let #name = #attempt; #block })
            }
            (None | Some(AttemptScope { is_plain: true, .. }), _) if is_adjacent => quote!(#block),
            (scope, _) => {
                let future = if is_adjacent { future } else { self.watched(future) };
                match scope {
                    None => quote!(#future.await),
                    Some(AttemptScope { attempt, .. }) => {
                        quote!(#private::in_nested_attempt(#attempt, #future).await)
                    }
                }
            }
        }
    }

    /// Returns the only run of the body, as an expression.
    pub(crate) fn run(&self) -> TokenStream {
        let private = &self.private;
        if self.stack.adjacent {
            let block = self.block(None);
            quote!(#block)
        } else if self.is_async {
            let future = self.future();
            quote!(#future.await)
        } else {
            let closure = self.closure();
            quote!(#private::once(#closure))
        }
    }

    /// Returns the only run of the body, as a lazy future. The arguments that no other code needs
    /// are moved in.
    pub(crate) fn future(&self) -> TokenStream {
        self.future_after(None)
    }

    /// Returns the only run of the body, as a lazy future. `first` precedes the body, and the body
    /// can use the locals of `first`.
    pub(crate) fn future_after(&self, first: Option<&TokenStream>) -> TokenStream {
        let moves = !self.stack.borrow_args && self.stack.lent.is_empty();
        let (block, moves) = (self.block(first), moves.then(|| quote!(move)));
        let begin = self.block_keyword();
        self.watched(quote!(#begin #moves #block))
    }

    /// Returns the future of the user's code, watched once for each layer outside that counts
    /// panics, and in the scope of an attempt of a retry outside. The future of another layer is
    /// watched further inside.
    fn watched(&self, future: TokenStream) -> TokenStream {
        let is_innermost = self.stack.inner.is_empty();
        let watching = if is_innermost { self.watching_outside() } else { 0 };
        let private = &self.private;
        let future = match self.stack.attempt_var.as_ref().filter(|_| is_innermost) {
            Some(attempt) => quote!(#private::in_attempt(&#attempt, #future)),
            None => future,
        };
        (0..watching).rev().fold(future, |future, layer| {
            self.watched_here(self.stack.trial_vars.get(layer), &future)
        })
    }

    /// Returns the number of layers outside that count panics.
    fn watching_outside(&self) -> usize {
        self.stack.outer.iter().filter(|sibling| sibling.has(Role::CountsPanics)).count()
    }

    /// Returns the local of a breaker with its trial call, if a call of the breaker may come from
    /// the body, and if the body can use the local.
    pub(crate) fn trial_var(&self, is_provided: bool) -> Option<Ident> {
        if !self.stack.outer.is_empty() || !self.stack.inner.is_empty() {
            return self.stack.trial_vars.get(self.watching_outside()).cloned();
        }
        let name = std::slice::from_ref(&self.name);
        let enters_again = is_provided || mentions(&self.body.stream(), name);
        enters_again.then(|| local("trial0"))
    }

    /// Returns the future of the user's code, watched for this layer.
    pub(crate) fn watched_here(&self, trial: Option<&Ident>, future: &TokenStream) -> TokenStream {
        let private = &self.private;
        if let Some(trial) = trial {
            quote!(#private::watched_trial(#trial, #future))
        } else {
            quote!(#private::watched(#future))
        }
    }

    /// Returns the only run of the body of a sync function, as a closure. The closure takes each
    /// argument as the body does: Clippy then sees which arguments the function consumes.
    pub(crate) fn closure(&self) -> TokenStream {
        let (block, returns) = (self.block(None), &self.returns);
        let begin = self.block_keyword();
        quote!(#begin -> #returns #block)
    }

    /// Returns `async` or `||`, with the span of the `{`.
    ///
    /// Clippy examines the returns of a body only in code of the user. A block that covers the
    /// signature would hide the signature from coverage.
    fn block_keyword(&self) -> TokenStream {
        let at = self.body.span_open();
        if self.is_async { quote_spanned!(at=> async) } else { quote_spanned!(at=> ||) }
    }

    /// Returns the body in braces, after the statements of `first` and the locals for arguments.
    ///
    /// All braces have the span of the body, so that lints, coverage and the rules of the edition
    /// apply as in the plain function. In editions before 2024 the temporaries of the last
    /// expression of a block outlive the locals of the block; the `match` ends the temporaries
    /// before the locals in front of the body.
    fn block(&self, first: Option<&TokenStream>) -> Group {
        let Self { captures, .. } = self;
        let body = &self.body_of_block();
        let mut block = TokenStream::new();
        if self.stack.has_own_block() {
            block.extend(self.body_marker());
        }
        // The compiler reports braces of the user around a single expression as unused, except in
        // the arm of a `match`. Items come first in braces of their own, for Clippy.
        let is_first = captures.locals.is_empty() && first.is_none();
        if is_first && has_semicolon(&body.stream()) {
            body.to_tokens(&mut block);
        } else if is_first && !may_have_item(&body.stream()) {
            block.extend(body.stream());
        } else {
            let locals = &captures.locals;
            block.extend(quote_spanned!(Span::mixed_site()=>
                #(#locals)* #first match () { () => #body }
            ));
        }
        let mut block = refill(body, block);
        if !self.stack.has_own_block() {
            // The code of the layer inside may be a single expression.
            block.set_span(Span::mixed_site().located_at(body.span()));
        }
        block
    }

    /// Returns the body in braces, with the result that the layers see.
    fn body_of_block(&self) -> Group {
        if !self.is_handler || !self.stack.inner.is_empty() {
            return self.body.clone();
        }
        let (body, begin) = (&self.body, self.block_keyword());
        let private = self.private_at(self.returns_span);
        let out = if self.is_async { quote!(#begin #body.await) } else { quote!((#begin #body)()) };
        let handler_response = quote_spanned!(self.returns_span=> #private::handler_response);
        refill(body, quote!(#handler_response(#out)))
    }

    /// Returns the predicate for errors: `on`, or the `Classify` impl of the error type.
    pub(crate) fn predicate(&self, on: Option<&Expr>) -> TokenStream {
        let error = local("error");
        let class = on.map_or_else(|| self.classify(&error), |on| self.class_of(&error, on));
        quote!(|#error| #class)
    }

    /// Returns the predicate for values: `on_ok`, or a function that accepts every value.
    pub(crate) fn value_predicate(&self, on_ok: Option<&Expr>) -> TokenStream {
        let (private, value) = (&self.private, local("value"));
        on_ok.map_or_else(
            || quote!(#private::never_retry),
            |on_ok| {
                let class = self.class_of(&value, on_ok);
                quote!(|#value| #class)
            },
        )
    }

    /// Returns the class that a predicate gives to an error or a value. A call of its own, at the
    /// place of the predicate, makes the compiler report a wrong predicate there.
    pub(crate) fn class_of(&self, argument: &Ident, predicate: &Expr) -> TokenStream {
        let at = Span::mixed_site().located_at(predicate.span());
        let here = self.private_at(at);
        quote_spanned!(at=> #here::class_of(#argument, #predicate))
    }

    /// Returns a hook as a closure, with a call of its own at the place of the hook.
    pub(crate) fn hook(&self, hook: Option<&Expr>, call: &str, default: &str) -> TokenStream {
        let event = local("event");
        let Some(hook) = hook else {
            let (private, default) = (&self.private, Ident::new(default, Span::call_site()));
            return quote!(#private::#default);
        };
        let at = Span::mixed_site().located_at(hook.span());
        let (here, call) = (self.private_at(at), Ident::new(call, at));
        quote_spanned!(at=> |#event| #here::#call(#event, #hook))
    }

    /// Returns the class of an error: from the `Classify` impl of the type, from a rejection in the
    /// source chain of a known type, or transient. The code does not compile if the type
    /// depends on a type parameter without a `Classify` bound.
    pub(crate) fn classify(&self, error: &Ident) -> TokenStream {
        let private = &self.private;
        let error_type = error_type::of(&self.returns);
        let dependency = error_type::dependency(error_type.as_ref(), &self.generics, private);
        // The span of the error type makes the compiler report an unknown class there.
        let at = error_type.map_or(self.returns_span, |error_type| error_type.span());
        let at = Span::mixed_site().located_at(at);
        let here = self.private_at(at);
        let probe = quote_spanned!(at=>
            (&&&&#here::class_probe::<#dependency, _>(#error)).resilience_class()
        );
        quote!({
            #[allow(unused_imports)]
            use #private::{
                ClassOfParameter as _, Classified as _, ClassifiedBySource as _,
                ClassifiedInGuard as _, Unclassified as _,
            };
            #probe
        })
    }

    /// Returns the class of an error under `idempotent = false`, from the `Classify` impl of the
    /// type. The code does not compile for a type without a class; the compiler reports the error
    /// at `at`.
    pub(crate) fn class_with_effect(&self, error: &Ident, at: Span) -> TokenStream {
        let at = Span::mixed_site().located_at(at);
        let (here, error) = (self.private_at(at), Ident::new(&error.to_string(), at));
        quote_spanned!(at=> #here::class_with_effect(#error))
    }

    /// Returns the class that a predicate gives under `idempotent = false`. The code does not
    /// compile for a predicate that returns `bool`.
    pub(crate) fn class_with_effect_of(&self, error: &Ident, predicate: &Expr) -> TokenStream {
        let at = Span::mixed_site().located_at(predicate.span());
        let here = self.private_at(at);
        quote_spanned!(at=> #here::class_with_effect_of(#error, #predicate))
    }

    /// Returns a closure from an error to its text, by `Display` or `Debug`.
    pub(crate) fn text(&self) -> TokenStream {
        let (private, error) = (&self.private, local("error"));
        quote!(|#error| {
            #[allow(unused_imports)]
            use #private::{ShownAsResponse as _, ShownByDebug as _, ShownByNothing as _};
            (&&#private::Probe(#error)).resilience_shown().text()
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

    /// Returns the declaration of the local with the last failure, if this layer declares the
    /// local.
    pub(crate) fn declare_failure(&self) -> Option<TokenStream> {
        let FailureVar { name, .. } = self.stack.failure.as_ref().filter(|var| var.declared)?;
        let private = &self.private;
        // A `move` block takes this reference, not the failure.
        Some(quote!(let #name = #private::LastFailure::new(); let #name = &#name;))
    }

    /// Returns the statement that records a failure for a timeout, as the text of `error`.
    pub(crate) fn record_failure(&self, error: &Ident) -> Option<TokenStream> {
        let FailureVar { name, .. } = self.stack.failure.as_ref()?;
        let private = &self.private;
        Some(
            quote!(#private::LastFailure::record(#name, #private::shown!(#private::Some(#error)));),
        )
    }

    /// Returns the rejection signal, if this layer reads the signal.
    pub(crate) fn read_signal(&self) -> Option<&Ident> {
        self.stack.signal.as_ref().filter(|var| var.read).map(|var| &var.name)
    }

    /// Returns the rejection signal, if a layer outside reads the signal.
    pub(crate) fn written_signal(&self) -> Option<&Ident> {
        self.stack.signal.as_ref().filter(|var| var.written).map(|var| &var.name)
    }

    /// Returns the rejection signal, if this layer reads the signal, as an `Option` in generated
    /// code.
    pub(crate) fn signal_option(&self) -> TokenStream {
        self.option(self.read_signal())
    }

    /// Returns the rejection signal, if this layer or a layer outside reads the signal, as an
    /// `Option` in generated code.
    pub(crate) fn shared_signal_option(&self) -> TokenStream {
        self.option(self.stack.signal.as_ref().map(|var| &var.name))
    }

    /// Returns the rejection signal, if a layer outside reads the signal, as an `Option` in
    /// generated code.
    pub(crate) fn written_signal_option(&self) -> TokenStream {
        self.option(self.written_signal())
    }

    /// Returns an `Option` in generated code.
    fn option(&self, value: Option<&Ident>) -> TokenStream {
        let private = &self.private;
        value.map_or_else(|| quote!(#private::None), |value| quote!(#private::Some(#value)))
    }

    /// Returns the rejection signal, if a layer outside reads the signal, and a further layer
    /// outside may drop the call.
    pub(crate) fn signal_of_dropped_call(&self) -> Option<&Ident> {
        let is_interrupted = self.is_async && self.stack.outside(Role::Interrupts).is_some();
        self.written_signal().filter(|_| is_interrupted)
    }

    /// Returns the statement that removes the rejection of a layer inside from the signal.
    pub(crate) fn clear_signal(&self) -> Option<TokenStream> {
        let name = self.written_signal()?;
        Some(quote!(#name.clear();))
    }

    /// Returns the statement that ends the wait of a retry between two attempts.
    pub(crate) fn clear_shared_signal(&self) -> Option<TokenStream> {
        let name = self.stack.signal.as_ref().map(|var| &var.name)?;
        Some(quote!(#name.clear();))
    }

    /// Returns the outcome of a call rejected by this layer, as an expression: `rejected`
    /// converted to the function's error type, or `None`. The code also sets the rejection signal.
    pub(crate) fn reject(&self, rejected: &Ident, error: Option<&Expr>) -> TokenStream {
        let (returns, at) = (&self.returns, self.returns_span);
        let private = self.private_at(at);
        let set = self.written_signal().map(|name| quote!(let #rejected = #name.set(#rejected);));
        let outcome = error.map_or_else(
            || quote_spanned!(at=> #private::reject::<#returns, _>(#rejected)),
            |error| quote_spanned!(at=> #private::reject_with::<#returns>(#rejected, #error)),
        );
        quote!({ #set #outcome })
    }

    /// Returns the rejection signal, if this layer is async and has to report its wait for a
    /// permit. A timeout outside tells the time in the queue of this process from the time of the
    /// body. A rate limit and a breaker outside distinguish a call that is dropped in the queue.
    pub(crate) fn queue_signal(&self) -> Option<&Ident> {
        let signal = self.written_signal().filter(|_| self.is_async);
        let is_read = self.stack.queue.is_read || self.stack.outside(Role::Interrupts).is_some();
        signal.filter(|_| is_read)
    }

    /// Returns the name of the function in events and rejections, as an expression: `name`, or the
    /// path of the function.
    pub(crate) fn policy_name(&self, name: Option<&Expr>) -> TokenStream {
        let path = self.name.to_string();
        let path = || quote!(::core::concat!(::core::module_path!(), "::", #path));
        name.map_or_else(path, ToTokens::to_token_stream)
    }

    /// Returns the code of all layers with a measurement of the call, for the feature
    /// `duration-histograms`.
    pub(crate) fn measured(&self, code: &TokenStream, name: Option<&Expr>) -> TokenStream {
        let [timed, out] = ["timed", "timed_out"].map(local);
        let (private, name) = (&self.private, self.policy_name(name));
        // A function that never rejects may return any type.
        quote! {
            let #timed = #private::TimedCall::start(&const { #private::function_site(#name) });
            let #out = { #code };
            #private::TimedCall::end(#timed, {
                #[allow(unused_imports)]
                use #private::{EndsAsOutcome as _, EndsAsValue as _};
                (&#private::CallResult(&#out)).resilience_is_success()
            });
            #out
        }
    }

    /// Returns the number of layers outside this layer, for the registry.
    pub(crate) fn depth(&self) -> TokenStream {
        let depth = u8::try_from(self.stack.outer.len()).unwrap_or(u8::MAX);
        quote!(#depth)
    }

    /// Returns a dead `return`. The `return` tells the compiler the type of the block, so type
    /// errors in the body read as in a plain function.
    fn body_marker(&self) -> TokenStream {
        self.dead_branch(&self.captures.uses)
    }

    /// Returns a branch that never runs, with these uses of arguments.
    pub(crate) fn dead_branch(&self, uses: &TokenStream) -> TokenStream {
        let (returns, private) = (&self.returns, self.private_at(self.returns_span));
        let never = Ident::new(BODY_MARKER, self.returns_span);
        quote_spanned!(self.returns_span=>
            #[allow(clippy::needless_return)]
            if false {
                #uses
                return #private::#never::<#returns>();
            }
        )
    }
}
