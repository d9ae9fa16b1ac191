//! `#[retry]`: a loop around the body.

mod keys;
mod policy;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Lifetime};

use self::keys::Keys;
use self::policy::{Plan, Policy};
use crate::args::{Args, Value, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::budget::Budget;
use crate::codegen::{AttemptScope, Context, local};
use crate::diagnostics::Errors;
use crate::order::Sibling;
use crate::stack_info::StackInfo;
use crate::value;

/// The validated keys.
pub(crate) struct Retry {
    policy: Policy,
    keys: Keys,
}

/// The parts of a round of the loop.
struct Parts<'p> {
    state: &'p Ident,
    layer: &'p Lifetime,
    plan: &'p Plan,
    /// A run of the body.
    attempt: TokenStream,
    /// The statements that end the loop after a success.
    succeeded: TokenStream,
    /// The budget, or `None`.
    budget: TokenStream,
}

/// The key for a policy made by hand.
const POLICY_KEY: &str = "policy";

impl LayerAttribute for Retry {
    const NAME: &'static str = "retry";
    const ROLES: &'static [Role] = &[
        Role::Repeats,
        Role::RetriesFailures,
        Role::SpendsBudget,
        Role::ActsOnFailures,
        Role::ReadsRejections,
        Role::SetsDeadline,
    ];
    // `#[retry]` borrows the arguments in any case.
    const DEFERRED_KEYS: &'static [&'static str] = &[];
    const PATIENCE_KEYS: &'static [&'static str] = &["on_rejection", POLICY_KEY];
    const DEADLINE_KEYS: &'static [&'static str] = &["deadline", POLICY_KEY];
    const POLICY_KEY: Option<&'static str> = Some(POLICY_KEY);
    const EXAMPLE: &'static str = "attempts = 4";

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let keys = Keys::read(args, errors);
        let policy = Policy::validate(&keys, args, errors);
        keys.check_exhausted(errors);
        Some(Self { policy, keys })
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.keys.name.as_ref())
    }

    // Output, for an async function without hooks:
    //
    //     let mut state = RetryState::new();
    //     'layer: loop {
    //         let delay = {
    //             let out = async { body }.await;
    //             if out.is_ok() { break 'layer count_success!(out, …); }
    //             let (out,) = failed(out);
    //             let delay = match out.as_result() {
    //                 Ok(_) => break 'layer out,
    //                 Err(error) => state.next(policy, spending, error.class(), text),
    //             };
    //             match delay {
    //                 None => break 'layer out,
    //                 Some(delay) => delay,
    //             }
    //         };
    //         delay.wait().await;
    //         signal.clear();
    //     }
    //
    // Sync functions, and functions with hooks: see `hooked_round`.
    fn generate(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let [state, spending, layer, delay] = ["state", "spending", "layer", "delay"].map(local);
        // The compiler points at the loop for an argument that the body moves.
        let at = context.attribute_span();
        let layer = Lifetime { apostrophe: at, ident: Ident::new(&layer.to_string(), at) };
        let repeat = quote_spanned!(at=> loop);
        let plan = self.policy.generate(&self.keys, context);
        let Plan { setup, begin, constant, named, setter, scoped, sets_context, spends, .. } =
            &plan;
        let bind = value_of(self.keys.bind.as_ref());
        let bind = bind.map(|bind| quote!(let #bind = #state.attempt(#constant);));
        let number = quote!(#private::RetryState::attempt_number(#state));
        let scoped = format_ident!("{scoped}");
        let scope = if *sets_context {
            let bound = quote!(#private::RetryState::bound(#state, #constant));
            quote!(#private::#scoped(#bound, #setter, #number))
        } else {
            quote!(#private::plain_attempt(#setter, #number))
        };
        let scope = AttemptScope { attempt: scope, is_plain: !*sets_context };
        let attempt = context.attempt(bind.as_ref(), Some(&scope));
        let deadline = context.stack.deadline_var.as_ref();
        let deadline = deadline.map(|deadline| quote!(let #deadline = #state.bound(#constant);));
        let patience = context.stack.patience_var.as_ref().map(|patience| {
            quote! {
                let #patience: ::core::primitive::u64 = #private::RetryState::patience(#constant);
            }
        });
        let (declare, declare_failure) = (context.declare_signal(), context.declare_failure());
        let succeeded = spends.then(|| quote!(#private::Spending::succeeded(&#spending);));
        let (name, out) = (context.policy_name(value_of(self.keys.name.as_ref())), local("out"));
        let succeeded = quote! {
            #private::report_success!(#state, #named);
            #succeeded
            // In braces, because `syn` reads `'label ::` as a labeled expression.
            break #layer {
                #private::count_success!(#out, #private::counted(
                    #constant, #name, #private::RetryState::attempt_number(#state), #out
                ))
            };
        };
        let retrying = spends.then(|| quote!(#private::Spending::retrying(&#spending);));
        let budget =
            if *spends { quote!(#private::Some(&#spending)) } else { quote!(#private::None) };
        let parts = Parts { state: &state, layer: &layer, plan: &plan, attempt, succeeded, budget };
        let Keys { on_ok, on_retry, on_give_up, error_sink, .. } = &self.keys;
        let has_hooks =
            on_ok.is_some() || on_retry.is_some() || on_give_up.is_some() || error_sink.is_some();
        let round = if context.is_async && !has_hooks {
            self.plain_round(context, parts)
        } else {
            self.hooked_round(context, parts)
        };
        let initial_delay = plan.has_initial_delay.then(|| {
            if context.is_async {
                quote! {
                    if let #private::Some(#delay) =
                        #private::RetryState::initial_delay(&mut #state, #constant)
                    {
                        #private::Delay::wait(#delay).await;
                    }
                }
            } else {
                quote!(#private::RetryState::initial_delay_blocking(&mut #state, #constant);)
            }
        });
        quote! {
            #declare
            #declare_failure
            #setup
            #patience
            let mut #state = #begin;
            #initial_delay
            #layer: #repeat {
                #deadline
                #round
                #retrying
            }
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        if stack.inside(Role::RetriesFailures).is_some() {
            errors.on_attribute(
                "two `#[retry]` on one function multiply their attempts; remove one of them",
            );
        }
        Budget::check_order(self.keys.budget.as_ref(), stack, errors);
        if let (Some(timeout), Policy::Keys) = (stack.time_limit, &self.policy) {
            self.keys.check_timeout(timeout, errors);
        }
    }

    fn clones(&self) -> &[Ident] {
        value_of(self.keys.clone.as_ref()).map_or(&[], Vec::as_slice)
    }

    fn carried(&self) -> &[Ident] {
        value_of(self.keys.carry.as_ref()).map_or(&[], Vec::as_slice)
    }
}

impl Retry {
    /// Returns a round of an async loop without hooks. The runtime gets only the class of the
    /// failure, so no runtime code is compiled for the types of the function.
    fn plain_round(&self, context: &Context, parts: Parts<'_>) -> TokenStream {
        let Context { returns, private, .. } = context;
        let Parts { state, layer, plan, attempt, succeeded, budget } = parts;
        let Plan { policy, on_failure, .. } = plan;
        let [out, failed, error, delay, rejected] =
            ["out", "failed", "error", "delay", "rejected"].map(local);
        // The span of the return type makes the compiler underline a type without an `Outcome`
        // impl there, once.
        let at = context.returns_span;
        let there = context.private_at(at);
        let result = quote_spanned!(at=> <#returns as #there::Outcome>::as_result(&#failed));
        let is_ok = context.is_ok(&out);
        let needs_effect = self.needs_effect(context);
        let class = match value_of(self.keys.on.as_ref()) {
            None if needs_effect => context.class_with_effect(&error, self.idempotent_span()),
            None => context.classify(&error),
            Some(on) if needs_effect => context.class_with_effect_of(&error, on),
            Some(on) => context.class_of(&error, on),
        };
        let signal = context.read_signal();
        let class = match signal {
            Some(signal) => quote! {
                match #signal.class() {
                    #private::Some(#rejected) => #rejected,
                    #private::None => #class,
                }
            },
            None => class,
        };
        let start = context.clear_shared_signal();
        let signal = context.shared_signal_option();
        let record = context.record_failure(&error);
        quote! {
            let #delay = {
                let mut #out = #attempt;
                if #is_ok {
                    #succeeded
                }
                let (#failed,) = #private::failed(#out);
                let #delay = match #result {
                    #private::Ok(_) => #private::None,
                    #private::Err(#error) => {
                        #record
                        #on_failure
                        #private::RetryState::next(
                            &mut #state, #policy, #budget, #class, #signal,
                            #private::shown!(#private::Some(#error))
                        )
                    }
                };
                match #delay {
                    #private::None => {
                        #out = #failed;
                        break #layer #out
                    }
                    #private::Some(#delay) => #delay,
                }
            };
            #private::Delay::wait(#delay).await;
            #start
        }
    }

    /// Returns a round of a loop with hooks or `on_ok`, or of a sync function. In a sync function a
    /// separate call for the delay would slow down the happy path. The runtime takes the outcome by
    /// value and drops the outcome before the delay.
    fn hooked_round(&self, context: &Context, parts: Parts<'_>) -> TokenStream {
        let Context { is_async, returns, private, .. } = context;
        let Parts { state, layer, plan, attempt, succeeded, budget } = parts;
        let Plan { policy, on_failure, .. } = plan;
        let [out, next, delay, call, error] = ["out", "next", "delay", "call", "error"].map(local);
        let signal = context.shared_signal_option();
        let (on, on_ok) = (value_of(self.keys.on.as_ref()), value_of(self.keys.on_ok.as_ref()));
        let needs_effect = self.needs_effect(context);
        let with_effect = |predicate: &Expr| {
            let class = context.class_with_effect_of(&error, predicate);
            quote!(|#error| #class)
        };
        let on = match on {
            // With `on_ok` the values may be the ones to retry.
            None if needs_effect && on_ok.is_none() => {
                let class = context.class_with_effect(&error, self.idempotent_span());
                quote!(|#error| #class)
            }
            Some(on) if needs_effect => with_effect(on),
            on => context.predicate(on),
        };
        // With `on_ok` a success may need another attempt as well.
        let may_retry_success = on_ok.is_some();
        let on_ok = match on_ok {
            Some(on_ok) if needs_effect => with_effect(on_ok),
            on_ok => context.value_predicate(on_ok),
        };
        let exhausted = value_of(self.keys.exhausted.as_ref()).map_or_else(
            || quote!(#private::keep_value),
            |exhausted| {
                let at = Span::mixed_site().located_at(exhausted.span());
                let there = context.private_at(at);
                quote_spanned!(at=> |#out| #there::exhausted::<#returns>(#out, #exhausted))
            },
        );
        let discard = value_of(self.keys.error_sink.as_ref()).map_or_else(
            || quote!(::core::mem::drop),
            |sink| {
                let at = Span::mixed_site().located_at(sink.span());
                let there = context.private_at(at);
                quote_spanned!(at=> |#out| #there::give_error::<#returns>(#out, #sink))
            },
        );
        let is_hooked = self.keys.on_retry.is_some() || self.keys.on_give_up.is_some();
        let on_retry = value_of(self.keys.on_retry.as_ref());
        let on_retry = context.hook(on_retry, "retry_hook", "no_retry_hook");
        let on_give_up = value_of(self.keys.on_give_up.as_ref());
        let on_give_up = context.hook(on_give_up, "give_up_hook", "no_give_up_hook");
        let text = quote!(|#error| #private::shown!(#private::Some(#error)));
        let is_ok = context.is_ok(&out);
        let at = context.returns_span;
        let there = context.private_at(at);
        let step = |step: TokenStream, state: TokenStream| {
            quote_spanned!(at=> #there::RetryState::#step::<#returns, _, _, _, #is_hooked>(
                #state, #call, #signal, #out, #on, #on_ok, #text, #on_retry, #on_give_up,
                #exhausted, #discard
            ))
        };
        let success = (!may_retry_success).then(|| quote!(if #is_ok { #succeeded }));
        let record = context.record_failure(&error).map(|record| {
            let result = quote_spanned!(at=> <#returns as #there::Outcome>::as_result(&#out));
            quote!(if let #private::Err(#error) = #result { #record })
        });
        let attempt = quote! {
            let #out = #attempt;
            #success
            #record
            #on_failure
            let #call = #private::CallContext { policy: #policy, spending: #budget };
        };
        if *is_async {
            let step = step(quote!(step), quote!(#state));
            let start = context.clear_shared_signal();
            quote! {
                let (#next, #delay) = {
                    #attempt
                    match #step {
                        ::core::ops::ControlFlow::Break(#out) => break #layer #out,
                        ::core::ops::ControlFlow::Continue(#next) => #next,
                    }
                };
                #state = #next;
                #private::Delay::wait(#delay).await;
                #start
            }
        } else {
            let step = step(quote!(step_blocking), quote!(&mut #state));
            quote! {
                #attempt
                if let ::core::ops::ControlFlow::Break(#out) = #step {
                    break #layer #out;
                }
            }
        }
    }

    /// Returns whether a failure without a class would never be retried: `idempotent = false`
    /// retries only what was not applied.
    ///
    /// A layer inside may reject a call that was not applied: with `on_rejection = "wait"`, by a
    /// missing store of records, or by a timeout in a queue.
    fn needs_effect(&self, context: &Context) -> bool {
        let stack = &context.stack;
        let waits_in_queue =
            stack.inside(Role::Interrupts).is_some() && stack.inner.iter().any(Sibling::may_wait);
        self.keys.is_never_repeated()
            && value_of(self.keys.on_rejection.as_ref()) != Some(&true)
            && stack.inside(Role::StoresOutcomes).is_none()
            && !waits_in_queue
    }

    fn idempotent_span(&self) -> Span {
        self.keys.idempotent.as_ref().map_or_else(Span::call_site, |keyed| keyed.key.span())
    }
}

/// Reads `bind = name`.
fn bind(expr: Expr) -> syn::Result<Ident> {
    match expr {
        Expr::Path(path) if path.path.get_ident().is_some() => path.path.require_ident().cloned(),
        other => Err(syn::Error::new_spanned(
            other,
            "expected a name for a local in the body: `bind = attempt`",
        )),
    }
}

/// Reads `carry(a, b)`.
fn carried(key: &Ident, value: Value) -> syn::Result<Vec<Ident>> {
    value::names(
        key,
        value,
        "`carry` needs the arguments whose changes the attempts share: `carry(nonce)`",
    )
}
