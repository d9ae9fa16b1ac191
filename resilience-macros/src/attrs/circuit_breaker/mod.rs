//! `#[circuit_breaker]`: asks a breaker before the body, and reports the outcome after the body.

mod keys;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, Lifetime, Signature};

use self::keys::{Keys, OnCancel};
use crate::args::{Args, Keyed, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::function::is_sync;
use crate::stack_info::StackInfo;
use crate::state_source::{PolicyType, StateSource};

const POLICY: PolicyType = PolicyType {
    name: "CircuitBreaker",
    key: "breaker",
    resolves_overrides: true,
    has_place: true,
};

/// The validated keys.
pub(crate) struct CircuitBreaker {
    state: StateSource,
    keys: Keys,
}

impl LayerAttribute for CircuitBreaker {
    const NAME: &'static str = "circuit_breaker";
    const ROLES: &'static [Role] =
        &[Role::ActsOnFailures, Role::ReadsRejections, Role::Rejects, Role::CountsPanics];
    const DEFERRED_KEYS: &'static [&'static str] = Keys::DEFERRED;
    const TIME_KEYS: &'static [&'static str] = &["slow_call", POLICY.key];
    const CANCEL_KEYS: &'static [&'static str] = &["on_cancel", POLICY.key];
    const EXAMPLE: &'static str = "failure_threshold = 5";
    const POLICY_KEY: Option<&'static str> = Some(POLICY.key);

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let keys = Keys::read(args, errors);
        let state = StateSource::read(&POLICY, &keys.settings(), args, errors);
        if !state.is_provided() {
            keys.check(errors);
        }
        if let (Some(max_open), true) = (&keys.max_open, state.is_per_function()) {
            errors.add(
                &max_open.key,
                "`max_open` needs a `key`: the share counts the keys of the function; write \
                 `key = …`, or remove it",
            );
        }
        if let (Some(shared), true) = (&keys.shared, state.is_per_key()) {
            errors.add(
                &shared.key,
                "`shared` and `key` exclude each other: the breaker keeps a hash of each key, so no \
                 other process could know the key; remove one of them",
            );
        }
        Some(Self { state, keys })
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.keys.name.as_ref())
    }

    // Output:
    //
    //     let breaker = { static BREAKER: CircuitBreaker = …; &BREAKER };
    //     'layer: {
    //         let guard = match breaker.enter_or(Body::Elsewhere, signal) {
    //             Ok(guard) => guard,
    //             Err(out) => break 'layer out,
    //         };
    //         let guard = guard.watch();
    //         let out = watched(async move { body }).await;
    //         if out.is_ok() { guard.success(); break 'layer out; }
    //         let guard = guard.unwatch();
    //         let (out,) = guard.record_error(out, on, text, signal);
    //         out
    //     }
    //
    // With `error`, `slow_call` or a breaker from elsewhere, the second arm is
    // `Err(rejected) => break 'layer reject(rejected)`.
    // If the body may call the breaker again, the breaker recognizes such a call inside a trial
    // call: `Body::Here`, `let trial0 = guard.trial();` and `watched_trial(trial0, …)`.
    //
    // The guard of a sync function is not watched. Below a `#[timeout]` below a `#[retry]`, the
    // guard reports an opening by a dropped call: `let guard = guard.report_to(signal);`. With
    // `on_cancel` and a queue inside, the same guard knows a call dropped in the queue. With
    // `on_ok`, which also examines a success, the last four lines are:
    //
    //         let guard = guard.unwatch();
    //         let (out,) = guard.record(out, on, on_ok, text, signal);
    //         out
    fn generate(&self, context: &Context) -> TokenStream {
        let Context { returns, returns_span, .. } = context;
        let [breaker, guard, rejected, out, layer] =
            ["breaker", "guard", "rejected", "out", "layer"].map(local);
        let layer = Lifetime { apostrophe: layer.span(), ident: layer };
        let (make, checks) = self.keys.generate(context);
        let declare = context.declare_signal();
        let bind = self.state.bind(&POLICY, &breaker, &make, context);
        let trial = context.trial_var(self.state.is_provided()).filter(|_| context.is_async);
        // Without a local for the trial call, the thread leaves the body unnoticed.
        let stays = !context.is_async || trial.is_some();
        let error = value_of(self.keys.error.as_ref());
        let private = context.private_at(*returns_span);
        let body = Ident::new(if stays { "Here" } else { "Elsewhere" }, Span::call_site());
        let body = quote!(#private::Body::#body);
        let (enter, rejection) =
            if self.state.is_per_function() && !self.keys.is_timed() && error.is_none() {
                let signal = context.written_signal_option();
                let enter = quote_spanned!(*returns_span=>
                    #private::CircuitBreaker::enter_or::<#returns, _>(#breaker, #body, #signal)
                );
                (enter, rejected.to_token_stream())
            } else {
                let method = match (self.state.is_per_function(), self.keys.is_timed()) {
                    (true, false) => "enter",
                    (true, true) => "enter_timed",
                    (false, _) => "acquire",
                };
                let method = Ident::new(method, Span::call_site());
                (quote!(#breaker.#method(#body)), context.reject(&rejected, error))
            };
        let text = context.text();
        let (on, signal) =
            (context.predicate(value_of(self.keys.on.as_ref())), context.shared_signal_option());
        let [watch, unwatch] = ["watch", "unwatch"].map(|method| {
            let method = Ident::new(method, Span::call_site());
            context.is_async.then(|| quote!(let #guard = #guard.#method();))
        });
        let declare_trial = trial.as_ref().map(|trial| quote!(let #trial = #guard.trial();));
        let report = context.signal_of_dropped_call().or_else(|| {
            let is_dropped_in_queue = context.is_async && context.stack.queue.is_inside;
            context.read_signal().filter(|_| is_dropped_in_queue)
        });
        let report = report.map(|signal| quote!(let #guard = #guard.report_to(#signal);));
        let record = if let Some(on_ok) = value_of(self.keys.on_ok.as_ref()) {
            let on_ok = context.value_predicate(Some(on_ok));
            let record = quote_spanned!(*returns_span=>
                #private::CircuitGuard::record::<#returns, _, _>(
                    #guard, #out, #on, #on_ok, #text, #signal
                )
            );
            quote! {
                #unwatch
                let (#out,) = #record;
            }
        } else {
            let is_ok = context.is_ok(&out);
            let record = quote_spanned!(*returns_span=>
                #private::CircuitGuard::record_error::<#returns, _>(#guard, #out, #on, #text, #signal)
            );
            quote! {
                if #is_ok {
                    #guard.success();
                    break #layer #out;
                }
                #unwatch
                let (#out,) = #record;
            }
        };
        let run = if context.is_async && context.stack.inner.is_empty() {
            let body = context.watched_here(trial.as_ref(), &context.future());
            quote!(#body.await)
        } else {
            context.run()
        };
        quote! {
            #checks
            #declare
            #bind
            #layer: {
                let #guard = match #enter {
                    ::core::result::Result::Ok(#guard) => #guard,
                    ::core::result::Result::Err(#rejected) => break #layer #rejection,
                };
                #watch
                #declare_trial
                #report
                let #out = #run;
                #record
                #out
            }
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        // The setting of a breaker made by hand is not visible here.
        let is_decided = self.keys.on_cancel.is_some() || self.state.is_provided();
        let is_inside = stack.inside(Role::Interrupts).is_some();
        if let (Some(timeout), false, false) =
            (stack.outside(Role::Interrupts), is_inside, is_decided)
        {
            let name = timeout.name;
            errors.on_attribute(format!(
                "a `#[{name}]` above `#[circuit_breaker]` drops a call that hangs, so the breaker \
                 could not count the call; put `#[{name}]` below, add another below, or decide with \
                 `on_cancel = \"failure\"` or `on_cancel = \"ignore\"`"
            ));
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        if let (Some(Keyed { key, value: OnCancel::Failure }), true) =
            (&self.keys.on_cancel, is_sync(function, is_async))
        {
            errors.add(
                key,
                "`on_cancel = \"failure\"` needs an `async fn`: a sync call cannot be dropped before its end; \
                 remove `on_cancel`",
            );
        }
        self.state.check_generics(function, errors);
        if !self.state.is_provided() {
            self.keys.check_generics(function, errors);
            self.keys.check_generic_window(function, errors);
        }
    }
}
