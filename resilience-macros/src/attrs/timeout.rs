//! `#[timeout]`: drops the body after a time limit.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use resilience_rules::timeout as rules;
use syn::{Expr, Signature};

use crate::args::{Args, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::function::is_sync;
use crate::keys::keys;
use crate::stack_info::{FailureVar, StackInfo};
use crate::value::{self, Constant, ConstantType};

keys! {
    /// The keys of `#[timeout]`.
    struct Keys {
        function {
            limit: positional(Constant<Duration>, limit, "#[timeout(\"5s\")]"),
            name: policy_name,
        }
        deferred {
            error: callable,
        }
    }
}

/// The validated keys.
pub(crate) struct Timeout {
    limit: Constant<Duration>,
    keys: Keys,
}

impl LayerAttribute for Timeout {
    const NAME: &'static str = "timeout";
    const ROLES: &'static [Role] = &[Role::Rejects, Role::Interrupts];
    const DEFERRED_KEYS: &'static [&'static str] = Keys::DEFERRED;
    const EXAMPLE: &'static str = "name = \"fetch\"";
    const POSITIONAL_KEY: Option<&'static str> = Some("limit");

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let mut keys = Keys::read(args, errors);
        Some(Self { limit: keys.limit.take()?.value, keys })
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.keys.name.as_ref())
    }

    // Output:
    //
    //     match timeout(limit, deadline, site, async move { body }).await {
    //         Ok(out) => count_success!(out, …),
    //         Err(limit) => reject(timed_out(site, limit)),
    //     }
    //
    // Below a retry that waits for rejections, with a limit inside, the time starts after the
    // queue:
    //
    //     match timeout_after_queue(…, site, patience, signal, async move { body }).await {
    //
    // With a retry inside, the rejection has the last failure as its source. With a retry outside
    // whose deadline ended the attempt, too.
    fn generate(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let [out, limit, own_limit, rejected] =
            ["out", "limit", "own_limit", "rejected"].map(local);
        let time = Duration::tokens(&self.limit, private);
        let deadline = context.stack.deadline_var.as_ref();
        let deadline = deadline.map_or_else(|| quote!(#private::None), ToTokens::to_token_stream);
        let future = context.future();
        let name = context.policy_name(value_of(self.keys.name.as_ref()));
        let constant = if self.limit.literal().is_some() {
            quote!(#private::Some(#time))
        } else {
            quote!(#private::None)
        };
        let depth = context.depth();
        let timed = quote!(&const { #private::timed_function(#name, #constant, #depth) });
        let site = quote!(#private::TimedFunction::site(#timed));
        let rejection = context.reject(&rejected, value_of(self.keys.error.as_ref()));
        let failure = context.stack.failure.as_ref();
        let is_shortened = failure.is_some_and(|failure| !failure.ends_retry);
        let bind = is_shortened.then(|| {
            let time = quote!(#private::Site::limit_in_use(#site, #time));
            quote!(let #own_limit: #private::Duration = #time;)
        });
        let time = if is_shortened { own_limit.to_token_stream() } else { time };
        let blame = failure.map(|FailureVar { name, ends_retry, .. }| {
            let blame = quote!(let #rejected = #private::LastFailure::blame(#name, #rejected););
            if *ends_retry {
                blame
            } else {
                // A deadline outside has shortened the limit.
                quote!(let #rejected = if #limit < #private::Some(#own_limit) {
                    #private::LastFailure::blame(#name, #rejected)
                } else {
                    #rejected
                };)
            }
        });
        let declare = context.declare_failure();
        let signal = context.stack.signal.as_ref().map(|signal| &signal.name);
        let within = if let (Some(patience), Some(signal)) = (&context.stack.patience_var, signal) {
            quote!(#private::timeout_after_queue(
                #time, #deadline, #timed, #patience, #signal, #future
            ))
        } else {
            quote!(#private::timeout(#time, #deadline, #timed, #future))
        };
        quote! {
            #declare
            #bind
            match #within.await {
                ::core::result::Result::Ok(#out) => {
                    #private::count_success!(#out, #private::Site::counted(#site, #out))
                }
                ::core::result::Result::Err(#limit) => {
                    let #rejected = #private::timed_out(#site, #limit);
                    #blame
                    #rejection
                }
            }
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        let (Some(limit), Some(outer)) = (self.limit.literal(), stack.time_limit) else { return };
        let is_shorter = errors.check(&self.limit, rules::limit_within_outer(*limit, outer));
        if let (true, Some(next)) = (is_shorter, stack.next_limit) {
            errors.check(&self.limit, rules::outer_within_limit(next, *limit));
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        if is_sync(function, is_async) {
            errors.add(
                function.fn_token,
                "`#[timeout]` needs an `async fn`: a sync body cannot be stopped while it runs; set a \
                 timeout on the call inside, or make the function async",
            );
        }
    }
}

/// Reads a duration in quotes, or an expression of type `Duration`. The limit is the only setting
/// that may be known only at run time.
fn limit(expr: Expr) -> syn::Result<Constant<Duration>> {
    let limit = value::duration_after("", expr)?;
    match limit.literal().map(|limit| rules::limit(*limit)) {
        Some(Err(broken)) => Err(syn::Error::new_spanned(limit, broken)),
        _ => Ok(limit),
    }
}
