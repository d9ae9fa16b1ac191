//! `#[coalesce]`: concurrent calls with equal keys share one execution.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, FnArg, ReceiverKind, ReturnType, Signature, Type};

use crate::args::{Args, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::function;
use crate::instance_key;
use crate::keys::keys;
use crate::stack_info::StackInfo;
use crate::state_source::{PolicyType, StateSource, exclude_settings};
use crate::tokens::returns_borrow;
use crate::value;

const POLICY: PolicyType =
    PolicyType { name: "Coalescer", key: "coalescer", resolves_overrides: false, has_place: false };

keys! {
    /// The keys of `#[coalesce]`.
    struct Keys {
        policy {
            name: policy_name,
        }
        function {
            key: key_of_call,
            scope: value((), instance_key::scope),
            coalescer: value(Expr, coalescer),
        }
        deferred {
            error: callable,
        }
    }
}

/// The validated keys.
pub(crate) struct Coalesce {
    key: Expr,
    state: StateSource,
    keys: Keys,
}

impl LayerAttribute for Coalesce {
    const NAME: &'static str = "coalesce";
    const ROLES: &'static [Role] = &[Role::Rejects, Role::SharesOutcomes];
    const DEFERRED_KEYS: &'static [&'static str] = Keys::DEFERRED;
    const EXAMPLE: &'static str = "key = id";
    const POLICY_KEY: Option<&'static str> = Some(POLICY.key);

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let mut keys = Keys::read(args, errors);
        if keys.key.is_none() && args.lacks(&["key"]) {
            errors.on_attribute(
                "`#[coalesce]` needs the key of the calls that share one execution: `key = id`; for a \
                 function without arguments `key = ()`",
            );
        }
        if let (Some(scope), Some(_)) = (&keys.scope, &keys.coalescer) {
            errors.add(
                &scope.key,
                "`scope` and `coalescer` exclude each other: the calls of a coalescer made by hand \
                 share their executions; remove `scope`",
            );
        }
        let state = match keys.coalescer.take() {
            Some(coalescer) => {
                exclude_settings(POLICY.key, &keys.settings(), errors);
                StateSource::Provided(coalescer.value)
            }
            None => StateSource::PerFunction,
        };
        Some(Self { key: keys.key.take()?.value, state, keys })
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.keys.name.as_ref())
    }

    // Output:
    //
    //     let coalescer = {
    //         static STATE: Coalescer = Coalescer::new().at(name, depth);
    //         resolve_policy(&STATE)
    //     };
    //     let key = KeyHash::in_function(&|| (), &key);
    //     match coalesce(coalescer, key, signal, async move { body }).await {
    //         Ok(out) => out,
    //         Err(rejected) => reject(rejected),
    //     }
    fn generate(&self, context: &Context) -> TokenStream {
        let Context { private, returns, returns_span, .. } = context;
        let [coalescer, key, out, rejected] =
            ["coalescer", "coalesce_key", "out", "rejected"].map(local);
        let name = context.policy_name(value_of(self.keys.name.as_ref()));
        let depth = context.depth();
        let make = quote!(#private::Coalescer::new().at(#name, #depth));
        let declare = context.declare_signal();
        let bind = self.state.bind(&POLICY, &coalescer, &make, context);
        let hash = instance_key::generate(&self.key, context);
        let here = context.private_at(*returns_span);
        let signal = context.written_signal_option();
        let call = if context.is_async {
            let body = context.future();
            let coalesce = quote_spanned!(*returns_span=> #here::coalesce::<#returns, _>);
            quote!(#coalesce(#coalescer, #key, #signal, #body).await)
        } else {
            let body = context.closure();
            let coalesce = quote_spanned!(*returns_span=> #here::coalesce_blocking::<#returns>);
            quote!(#coalesce(#coalescer, #key, #signal, #body))
        };
        let rejection = context.reject(&rejected, value_of(self.keys.error.as_ref()));
        quote! {
            #declare
            #bind
            let #key = #hash;
            match #call {
                ::core::result::Result::Ok(#out) => #out,
                ::core::result::Result::Err(#rejected) => #rejection,
            }
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        if stack.inside(Role::SharesOutcomes).is_some() {
            errors.on_attribute(
                "two `#[coalesce]` on one function: the calls of the lower one have been shared \
                 already; remove one of them",
            );
        }
        if let Some(outer) = stack.outside(Role::CountsPanics) {
            let name = outer.name;
            errors.on_attribute(format!(
                "`#[{name}]` above `#[coalesce]` would count one failed execution once for each call \
                 that shares the execution; move `#[coalesce]` above `#[{name}]`"
            ));
        }
        if let Some(outer) = stack.outside(Role::StoresOutcomes) {
            let name = outer.name;
            errors.on_attribute(format!(
                "`#[{name}]` above `#[coalesce]` would store one execution under several keys; move \
                 `#[coalesce]` above `#[{name}]`"
            ));
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        let is_global = self.keys.scope.is_some() || self.state.is_provided();
        let policy = "coalescer = self.coalescer";
        instance_key::check(Self::NAME, function, &self.key, is_global, Some(policy), errors);
        for input in &function.inputs {
            if is_exclusive(input) {
                errors.add(
                    input,
                    "a call that shares an execution does not run its body, so its `&mut` argument \
                     would stay unchanged; take the value by `&` or by value, and return the change",
                );
            }
        }
        // The output of a future that is written out is known to the compiler only.
        let is_plain = function.asyncness.is_some() || !is_async;
        if let (ReturnType::Type(_, returns), true) = (&function.output, is_plain) {
            if returns_borrow(&returns.to_token_stream()) {
                errors.add(
                    returns,
                    "a shared outcome cannot borrow from the arguments of one call; return an owned \
                     value, such as `String` or `Arc<T>`",
                );
            }
        }
    }
}

/// Returns whether the body may change an argument of the caller.
fn is_exclusive(input: &FnArg) -> bool {
    match input {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, mutable) => mutable.is_some(),
            ReceiverKind::Typed(_, ty) => {
                matches!(&**ty, Type::Reference(ty) if ty.mutability.is_some())
            }
            _ => false,
        },
        FnArg::Typed(argument) => {
            let mut bindings = Vec::new();
            function::bind(&argument.pat, Some(&argument.ty), &mut bindings);
            bindings.iter().any(|binding| binding.pass_mode.is_exclusive())
        }
    }
}

/// Reads a coalescer made by hand.
fn coalescer(expr: Expr) -> syn::Result<Expr> {
    value::policy(expr, || {
        "expected a `Coalescer`, like `coalescer = &SHARED` or `coalescer = self.coalescer`".into()
    })
}
