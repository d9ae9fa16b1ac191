//! `#[bulkhead]` and `#[rate_limit]`: a policy admits or rejects a call before the body runs.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Expr, Signature};

use crate::args::Args;
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::state_source::{PolicyType, StateSource};

/// The keys of an attribute that limits calls.
pub(crate) trait Limiter: Sized {
    const NAME: &'static str;
    const DEFERRED_KEYS: &'static [&'static str];
    const EXAMPLE: &'static str;
    const HINTS: &'static [(&'static str, Hint)];
    const POLICY: PolicyType;

    /// Whether the policy hands out a permit that is held while the body runs.
    const HOLDS_PERMIT: bool;

    fn read(args: &mut Args, errors: &mut Errors) -> Self;

    /// Returns the given settings of the policy.
    fn settings(&self) -> Vec<Ident>;

    /// Reports missing keys, and literals that break a rule.
    fn check(&self, args: &Args, errors: &mut Errors);

    fn check_generics(&self, function: &Signature, errors: &mut Errors);

    /// Returns whether a call may wait for a permit.
    fn waits(&self) -> bool;

    /// Returns the conversion of a rejection to the function's error type.
    fn error(&self) -> Option<&Expr>;

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
    const ROLES: &'static [Role] = &[Role::Rejects];
    const DEFERRED_KEYS: &'static [&'static str] = L::DEFERRED_KEYS;
    const EXAMPLE: &'static str = L::EXAMPLE;
    const POLICY_KEY: &'static str = L::POLICY.key;
    const HINTS: &'static [(&'static str, Hint)] = L::HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let limiter = L::read(args, errors);
        let state = StateSource::read(&L::POLICY, &limiter.settings(), args, errors);
        if !state.is_provided() {
            limiter.check(args, errors);
        }
        Some(Self { state, limiter })
    }

    // Output, for a bulkhead:
    //
    //     let policy = resolve({ static STATE: Bulkhead = …; &STATE });
    //     match policy.acquire().await {
    //         Ok(permit) => {
    //             let out = async move { body }.await;
    //             drop(permit);
    //             out
    //         }
    //         Err(rejected) => reject(rejected),
    //     }
    //
    // For a rate limiter, without a permit to hold:
    //
    //         Ok(()) => async move { body }.await,
    fn generate(&self, context: &Context) -> TokenStream {
        let Self { state, limiter } = self;
        let [policy, permit, rejected, out] = ["policy", "permit", "rejected", "out"].map(local);
        let declare = context.declare_signal();
        let (make, checks) = limiter.generate(context);
        let bind = state.bind(&L::POLICY, &policy, &make, context);
        let acquire = context.queued(state.acquire(&policy, limiter.waits(), context));
        let run = context.run();
        let admitted = if L::HOLDS_PERMIT {
            quote! {
                ::core::result::Result::Ok(#permit) => {
                    let #out = #run;
                    ::core::mem::drop(#permit);
                    #out
                }
            }
        } else {
            quote!(::core::result::Result::Ok(()) => #run,)
        };
        let rejection = context.reject(&rejected, limiter.error());
        quote! {
            #checks
            #declare
            #bind
            match #acquire {
                #admitted
                ::core::result::Result::Err(#rejected) => #rejection,
            }
        }
    }

    fn check_function(&self, function: &Signature, _: bool, errors: &mut Errors) {
        self.state.check_generics(function, errors);
        if !self.state.is_provided() {
            self.limiter.check_generics(function, errors);
        }
    }
}
