//! `#[bulkhead]` and `#[rate_limit]`: a policy admits or rejects a call before the body runs.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use resilience_rules::timeout as rules;
use syn::spanned::Spanned;
use syn::{Expr, Lifetime, Signature};

use crate::args::{Args, Keyed, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::keys::check_literal;
use crate::stack_info::StackInfo;
use crate::state_source::{PerKey, PolicyType, StateSource};
use crate::value::{Constant, is_unlimited};

/// The keys of an attribute that limits calls.
pub(crate) trait Limiter: Sized {
    const NAME: &'static str;
    const DEFERRED_KEYS: &'static [&'static str];
    const EXAMPLE: &'static str;
    const POLICY: PolicyType;

    const ROLES: &'static [Role];

    /// The keys that let a call wait.
    const WAIT_KEYS: &'static [&'static str];

    /// Whether the policy hands out a permit that is held while the body runs.
    const HOLDS_PERMIT: bool;

    fn read(args: &mut Args, errors: &mut Errors) -> Self;

    /// Returns the given settings of the policy.
    fn settings(&self) -> Vec<Ident>;

    /// Reports missing keys, and literals that break a rule.
    fn check(&self, args: &Args, errors: &mut Errors);

    /// Reports keys that exclude the source of the state.
    fn check_state(&self, _state: &StateSource, _errors: &mut Errors) {}

    fn check_generics(&self, function: &Signature, errors: &mut Errors);

    /// Returns whether a call may wait for a permit.
    fn waits(&self) -> bool;

    /// Returns the longest wait of a call.
    fn wait(&self) -> Option<&Keyed<Constant<Duration>>>;

    /// Returns whether a call waits until it is admitted.
    fn waits_without_limit(&self) -> bool {
        is_unlimited(value_of(self.wait()))
    }

    /// Returns whether a call may be rejected: not in shadow mode, and not with a wait without a
    /// limit.
    fn rejects(&self) -> bool;

    /// Reports mistakes in the keys of the function, also beside a policy made by hand.
    fn check_function_keys(&self, _errors: &mut Errors) {}

    /// Returns the number of permits that a call takes; 1 by default.
    fn cost(&self) -> Option<&Expr> {
        None
    }

    /// Returns the function from the outcome to the actual cost.
    fn settle(&self) -> Option<&Expr> {
        None
    }

    /// Returns the conversion of a rejection to the function's error type.
    fn error(&self) -> Option<&Expr>;

    /// Returns the value of the key `name`.
    fn name(&self) -> Option<&Expr>;

    /// Returns the expression that creates the policy, and checks as items.
    fn generate(&self, context: &Context) -> (TokenStream, TokenStream);
}

/// A validated attribute that limits calls.
pub(crate) struct Limit<L> {
    state: StateSource,
    limiter: L,
}

impl<L: Limiter> LayerAttribute for Limit<L> {
    const NAME: &'static str = L::NAME;
    const ROLES: &'static [Role] = L::ROLES;
    const WAIT_KEYS: &'static [&'static str] = L::WAIT_KEYS;
    const DEFERRED_KEYS: &'static [&'static str] = L::DEFERRED_KEYS;
    const EXAMPLE: &'static str = L::EXAMPLE;
    const POLICY_KEY: Option<&'static str> = Some(L::POLICY.key);

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let limiter = L::read(args, errors);
        // A wait without a limit belongs to the call, also beside a policy made by hand.
        let mut settings = limiter.settings();
        settings.retain(|key| key != "wait" || !limiter.waits_without_limit());
        let state = StateSource::read(&L::POLICY, &settings, args, errors);
        if !state.is_provided() {
            limiter.check(args, errors);
        }
        limiter.check_state(&state, errors);
        limiter.check_function_keys(errors);
        Some(Self { state, limiter })
    }

    fn name(&self) -> Option<&Expr> {
        self.limiter.name()
    }

    // Output, for a bulkhead:
    //
    //     let policy = resolve_policy({ static STATE: Bulkhead = …; &STATE });
    //     'layer: {
    //         let permit = match policy.acquire().await {
    //             Ok(permit) => permit,
    //             Err(rejected) => break 'layer reject(rejected),
    //         };
    //         let out = async move { body }.await;
    //         drop(permit);
    //         out
    //     }
    //
    // In editions before 2024 the temporaries of the last expression outlive the policy, so the
    // result with the permit is no temporary of the last expression.
    //
    // For a rate limiter, without a permit to hold:
    //
    //     match policy.acquire().await {
    //         Ok(()) => async move { body }.await,
    //         Err(rejected) => reject(rejected),
    //     }
    //
    // A rate limiter without a wait, a cost and `error` builds the outcome of a rejected call:
    //
    //     match policy.take_or(signal) {
    //         Ok(()) => …,
    //         Err(rejected) => rejected,
    //     }
    //
    // With a wait without a limit no call is rejected, and the error type need not represent a
    // rejection:
    //
    //     match RateLimiter::admitted(policy.acquire().await) {
    //         Ok(()) => …,
    //         Err(never) => match never {},
    //     }
    //
    // With a layer inside that rejects calls, or with `settle`:
    //
    //         Ok(()) => {
    //             let out = async move { body }.await;
    //             settle_call(policy, cost, &out, settle, signal);
    //             out
    //         }
    //
    // With a queue inside, for a call that is dropped in the queue, the arm starts with
    //
    //             let _refund = refund_in_queue(policy, cost, signal);
    fn generate(&self, context: &Context) -> TokenStream {
        let Self { state, limiter } = self;
        let [policy, permit, rejected, out] = ["policy", "permit", "rejected", "out"].map(local);
        let declare = context.declare_signal();
        let (make, checks) = limiter.generate(context);
        let taken = self.takes_in_table(context);
        let bind = taken.is_none().then(|| state.bind(&L::POLICY, &policy, &make, context));
        let cost = local("cost");
        let cost_binding = limiter.cost().map(|expr| {
            let at = Span::mixed_site().located_at(expr.span());
            quote_spanned!(at=> let #cost: ::core::primitive::u32 = #expr;)
        });
        let cost = limiter.cost().map_or_else(|| quote!(1), |_| cost.to_token_stream());
        let acquire = if let Some(per_key) = taken {
            let private = &context.private;
            let find = quote!(#private::keyed_take);
            let found = per_key.find(&L::POLICY, &policy, &make, &find, context);
            // A statement of its own: temporaries of the key end before the body runs.
            quote!({ let #permit = #found; #permit })
        } else {
            let acquire = self.acquire(&policy, &cost, context);
            match context.queue_signal().filter(|_| self.may_wait(context)) {
                Some(signal) => Self::queued(&acquire, signal, &policy, &cost, context),
                None => acquire,
            }
        };
        let run = context.run();
        let admitted = if limiter.settle().is_some() || context.read_signal().is_some() {
            let (private, signal) = (&context.private, context.signal_option());
            let correct = if let Some(settle) = limiter.settle() {
                quote!(#private::settle_call(#policy, #cost, &#out, #settle, #signal))
            } else {
                quote!(#private::refund_rejected(#policy, #cost, #signal))
            };
            let in_queue = context.is_async && context.stack.queue.is_inside;
            let refund = context.read_signal().filter(|_| in_queue).map(|signal| {
                let refund = local("_refund");
                quote!(let #refund = #private::refund_in_queue(#policy, #cost, #signal);)
            });
            quote! {
                ::core::result::Result::Ok(()) => {
                    #refund
                    let #out = #run;
                    #correct;
                    #out
                }
            }
        } else {
            quote!(::core::result::Result::Ok(()) => #run,)
        };
        let (acquire, rejection) = if self.rejects_in_place(context) {
            let (returns, signal) = (&context.returns, context.written_signal_option());
            let take = quote_spanned!(context.returns_span=> take_or::<#returns, _>);
            (quote!(#policy.#take(#signal)), Some(rejected.to_token_stream()))
        } else if self.may_reject(context) {
            (acquire, Some(context.reject(&rejected, limiter.error())))
        } else {
            let (private, ty) = (&context.private, Ident::new(L::POLICY.name, Span::call_site()));
            (quote!(#private::#ty::admitted(#acquire)), None)
        };
        let call = if L::HOLDS_PERMIT {
            hold_permit(&acquire, rejection, &run)
        } else {
            let rejection = rejection.unwrap_or_else(|| quote!(match #rejected {}));
            quote! {
                match #acquire {
                    #admitted
                    ::core::result::Result::Err(#rejected) => #rejection,
                }
            }
        };
        quote! {
            #checks
            #declare
            #cost_binding
            #bind
            #call
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        if let Some(limit) = stack.time_limit.filter(|_| !self.limiter.waits_without_limit()) {
            check_literal(
                self.limiter.wait(),
                |wait| rules::wait_within_limit(wait, limit),
                errors,
            );
        }
    }

    fn check_function(&self, function: &Signature, _: bool, errors: &mut Errors) {
        self.state.check_generics(function, errors);
        if !self.state.is_provided() {
            self.limiter.check_generics(function, errors);
        }
    }
}

/// Returns the call with a permit from `acquire`, which is held until the outcome of `run`.
fn hold_permit(
    acquire: &TokenStream,
    rejection: Option<TokenStream>,
    run: &TokenStream,
) -> TokenStream {
    let [permit, rejected, out, layer] = ["permit", "rejected", "out", "layer"].map(local);
    let layer = Lifetime { apostrophe: layer.span(), ident: layer };
    let (label, rejection) = match rejection {
        Some(rejection) => (Some(quote!(#layer:)), quote!(break #layer #rejection)),
        None => (None, quote!(match #rejected {})),
    };
    quote! {
        #label {
            let #permit = match #acquire {
                ::core::result::Result::Ok(#permit) => #permit,
                ::core::result::Result::Err(#rejected) => #rejection,
            };
            let #out = #run;
            ::core::mem::drop(#permit);
            #out
        }
    }
}

impl<L: Limiter> Limit<L> {
    /// Returns whether a call may be rejected. A policy with settings per key may reject, and a
    /// wait ends at a deadline outside.
    fn may_reject(&self, context: &Context) -> bool {
        self.limiter.rejects()
            || self.state.has_settings()
            || self.limiter.error().is_some()
            || self.limiter.waits() && context.stack.deadline_var.is_some()
    }

    /// Returns whether the policy builds the outcome of a rejected call.
    fn rejects_in_place(&self, context: &Context) -> bool {
        let needs_more = L::HOLDS_PERMIT
            || self.may_wait(context)
            || self.limiter.cost().is_some()
            || self.limiter.error().is_some()
            || self.takes_in_table(context).is_some();
        self.may_reject(context) && !needs_more
    }

    /// Returns whether a call may wait for a permit. A policy made by hand may always wait.
    fn may_wait(&self, context: &Context) -> bool {
        self.limiter.waits() || self.state.is_provided() || context.stack.patience_var.is_some()
    }

    /// Returns the wait for a permit, as an expression that reports the wait. Permits of a rate
    /// limit return if the call is dropped at the end of the wait: a timeout outside may be due.
    fn queued(
        acquire: &TokenStream,
        signal: &Ident,
        policy: &Ident,
        cost: &TokenStream,
        context: &Context,
    ) -> TokenStream {
        let private = &context.private;
        if L::HOLDS_PERMIT {
            return quote!(#signal.in_queue(async { #acquire }).await);
        }
        let refund = quote!(#private::refund_in_queue(#policy, #cost, #signal));
        quote! {
            #signal.in_queue(async { #acquire.map(|()| #refund) }).await.map(::core::mem::drop)
        }
    }

    /// Returns the state per key, where a call needs the state for a single permit only: the permit
    /// is taken inside the table.
    fn takes_in_table(&self, context: &Context) -> Option<&PerKey> {
        let Self { state, limiter } = self;
        let needs_more = L::HOLDS_PERMIT
            || limiter.waits()
            || limiter.cost().is_some()
            || context.stack.patience_var.is_some()
            || context.read_signal().is_some();
        state.per_key().filter(|_| !needs_more)
    }

    /// Returns the request for a permit from the policy in `local`. A policy made by hand waits as
    /// long as the function says. A deadline outside bounds the wait, and
    /// the patience of a retry outside extends the wait.
    fn acquire(&self, local: &Ident, cost: &TokenStream, context: &Context) -> TokenStream {
        let private = &context.private;
        let patience = if self.state.is_provided() && self.limiter.waits_without_limit() {
            Some(quote!(::core::primitive::u64::MAX))
        } else {
            context.stack.patience_var.as_ref().map(ToTokens::to_token_stream)
        };
        let waits = self.may_wait(context);
        let deadline = context.stack.deadline_var.as_ref().filter(|_| waits);
        let deadline = if waits && !self.may_reject(context) {
            // The deadline of an outer function would reject the call.
            Some(quote!(#private::Some(#private::UNBOUNDED)))
        } else {
            deadline.map(ToTokens::to_token_stream)
        };
        let has_cost = self.limiter.cost().is_some();
        if deadline.is_none() && patience.is_none() && !has_cost {
            return match (waits, context.is_async) {
                (false, _) => quote!(#local.try_acquire()),
                (true, false) => quote!(#local.acquire_blocking()),
                (true, true) => quote!(#local.acquire().await),
            };
        }
        if !waits {
            return quote!(#local.try_acquire_many(#cost));
        }
        let cost = (!L::HOLDS_PERMIT).then(|| quote!(#cost,));
        let deadline = deadline.unwrap_or_else(|| quote!(#private::None));
        let patience = patience.unwrap_or_else(|| quote!(0));
        if context.is_async {
            quote!(#local.acquire_by(#cost #deadline, #patience).await)
        } else {
            quote!(#local.acquire_blocking_by(#cost #deadline, #patience))
        }
    }
}
