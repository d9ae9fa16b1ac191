//! `#[idempotent]`: the body runs once for each key.

mod fingerprint;
mod identity;
mod keys;
mod policy;
mod store;
mod transaction;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Signature};

use self::identity::{Identity, Scope};
use self::keys::{Keep, Keys, OnLeaseLost};
use self::policy::Policy;
use crate::args::{Args, Keyed, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::function::is_sync;
use crate::stack_info::StackInfo;
use crate::value;

/// The validated keys.
pub(crate) struct Idempotent {
    policy: Policy,
    identity: Identity,
    keys: Keys,
}

impl LayerAttribute for Idempotent {
    const NAME: &'static str = "idempotent";
    const ROLES: &'static [Role] = &[Role::Rejects, Role::ReadsRejections, Role::StoresOutcomes];
    const DEFERRED_KEYS: &'static [&'static str] = Keys::DEFERRED;
    const EXAMPLE: &'static str = "key = request_id";
    const POLICY_KEY: Option<&'static str> = Some("policy");
    const LIST_KEYS: &'static [&'static str] = &["fingerprint"];
    const PARAM_MARKER: Option<&'static str> = Some("skip");

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let mut keys = Keys::read(args, errors);
        if let (Some(transaction), None) = (&keys.transaction, &keys.store) {
            errors.add(
                &transaction.key,
                "`transaction` needs the store in its database; add `store = self.store`",
            );
        }
        let policy = Policy::validate(&keys, args, errors);
        let identity = Identity::take(&mut keys, args, errors)?;
        Some(Self { policy, identity, keys })
    }

    fn name(&self) -> Option<&Expr> {
        self.keys.record_name()
    }

    // Output:
    //
    //     let call = call(policy, store, scope, &key, |fingerprint| …);
    //     let body = pin!(Some(async move { body }));
    //     let out = run_async(
    //         call,
    //         &KeepOk,
    //         |error| class,
    //         not_reconciled,
    //         PinnedBody(body),
    //     ).await;
    //     match out {
    //         Ok(out) => out,
    //         Err(rejected) => reject(rejected),
    //     }
    fn generate(&self, context: &Context) -> TokenStream {
        let Context { private, returns, returns_span, .. } = context;
        let [out, rejected, call_var] = ["out", "rejected", "call"].map(local);
        let declare = context.declare_signal();
        let call = self.call(context);
        let keep = self.keep().generate(context);
        let class = self.class(context);
        let here = context.private_at(*returns_span);
        let (setup, run) = if let Some(transaction) = &self.keys.transaction {
            // The borrow of the transaction ends before the first `await`.
            (quote!(let #call_var = #call;), self.run_in(&transaction.value, &call_var, context))
        } else if context.is_async {
            let (body, future) = (local("body"), context.future());
            // The key is read before the body borrows the arguments.
            let setup = quote! {
                let #call_var = #call;
                let #body = ::core::pin::pin!(::core::option::Option::Some(#future));
            };
            let reconcile =
                self.keys.reconcile_or(quote!(#private::idempotent::not_reconciled::<#returns>));
            let run = quote_spanned!(*returns_span=>
                #here::idempotent::run_async::<#returns, _, _, _>(
                    #call_var, &#keep, #class, #reconcile, #here::idempotent::PinnedBody(#body)
                ).await
            );
            (setup, run)
        } else {
            let body = context.closure();
            let reconcile =
                self.keys.reconcile_or(quote!(|_| #private::idempotent::Reconciled::Unknown));
            let run = quote_spanned!(*returns_span=>
                #here::idempotent::run::<#returns, _, _>(#call, &#keep, #class, #reconcile, #body)
            );
            (TokenStream::new(), run)
        };
        let rejection = context.reject(&rejected, value_of(self.keys.error.as_ref()));
        quote! {
            #declare
            #setup
            let #out = #run;
            match #out {
                ::core::result::Result::Ok(#out) => #out,
                ::core::result::Result::Err(#rejected) => #rejection,
            }
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        if let Some(transaction) = &self.keys.transaction {
            transaction::check_order(transaction, stack, errors);
        }
        if stack.inside(Role::StoresOutcomes).is_some() {
            errors.on_attribute(
                "two `#[idempotent]` on one function store two records for each call; remove one of \
                 them",
            );
        }
        if let Some(inner) = stack.inside(Role::ReplacesFailures) {
            let name = inner.name;
            errors.on_attribute(format!(
                "`#[idempotent]` would store the replacement from the `#[{name}]` below, and return \
                 it until `ttl` ends; move `#[{name}]` above `#[idempotent]`"
            ));
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        if let (Some(Keyed { key, value: OnLeaseLost::Cancel }), true) =
            (&self.keys.on_lease_lost, is_sync(function, is_async))
        {
            errors.add(
                key,
                "`on_lease_lost = \"cancel\"` needs an `async fn`: a sync body cannot be stopped while it runs; \
                 remove `on_lease_lost`",
            );
        }
        if let Some(transaction) = &self.keys.transaction {
            transaction::check_function(transaction, function, is_async, errors);
        }
        if function.receiver().is_some() && self.policy.is_named_by_path(&self.keys) {
            errors.on_attribute(format!(
                "a method needs a name for its records, because another type in this module may have \
                 a method `{0}` too; add `name = \"payments.{0}\"`",
                function.ident
            ));
        }
    }
}

impl Idempotent {
    /// Returns an expression for the call, or for a rejection of the key.
    fn call(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let policy = self.policy.generate(&self.keys, context);
        let transaction = value_of(self.keys.transaction.as_ref());
        let given_store = value_of(self.keys.store.as_ref());
        let store = store::generate(given_store, transaction, context);
        let mut known: Vec<&Expr> = given_store.into_iter().collect();
        known.extend(transaction);
        if let Identity::Key { key, scope, .. } = &self.identity {
            known.push(key);
            if let Scope::Of(scope) = &**scope {
                known.push(scope);
            }
        }
        let values = value_of(self.keys.fingerprint.as_ref()).map(Vec::as_slice);
        let fingerprint = fingerprint::generate(values, &known, context);
        match &self.identity {
            Identity::Step(step) => quote! {
                #private::idempotent::step(#policy, #store, #step, #fingerprint)
            },
            Identity::Key { key, scope, optional } => {
                let make = if *optional { quote!(optional) } else { quote!(call) };
                let at = key.span();
                let key = quote_spanned!(at=> &(#key));
                let scope = match &**scope {
                    Scope::Global => quote!(#private::idempotent::Scope::Global),
                    Scope::Of(of) => {
                        let of = quote_spanned!(of.span()=> &(#of));
                        quote!(#private::idempotent::Scope::Of(#of))
                    }
                };
                quote!(#private::idempotent::#make(#policy, #store, #scope, #key, #fingerprint))
            }
        }
    }

    // Output:
    //
    //     let store = in_database(&*tx, store);
    //     let call = call(policy, store, scope, &key, |fingerprint| …);
    //     match claim_in(call, &KeepOk, &mut *tx).await {
    //         Ok(ClaimedIn::Run(active)) => {
    //             let out = active.run(async { let tx = &mut *tx; body }).await;
    //             active.settle(&mut *tx, &KeepOk, |error| class, out).await
    //         }
    //         Ok(ClaimedIn::Replay(out)) => Ok(out),
    //         Err(rejected) => Err(rejected),
    //     }
    fn run_in(&self, transaction: &Expr, call: &Ident, context: &Context) -> TokenStream {
        let Context { private, returns, returns_span, .. } = context;
        let [out, rejected, active] = ["out", "rejected", "active"].map(local);
        let (keep, class) = (self.keep().generate(context), self.class(context));
        // The body gets a reborrow: the transaction is needed again after the body.
        let reborrow = match transaction {
            Expr::Path(tx) => tx.path.get_ident().map(|tx| quote!(let #tx = &mut *#tx;)),
            _ => None,
        };
        let body = context.future_after(reborrow.as_ref());
        let here = context.private_at(*returns_span);
        let tx = quote_spanned!(transaction.span()=> &mut *#transaction);
        let claimed = quote_spanned!(*returns_span=>
            #here::idempotent::claim_in::<#returns, _, _, _>(#call, &#keep, #tx).await
        );
        quote! {
            match #claimed {
                #private::Ok(#private::idempotent::ClaimedIn::Run(#active)) => {
                    let #out = #active.run(#body).await;
                    #active.settle(#tx, &#keep, #class, #out).await
                }
                #private::Ok(#private::idempotent::ClaimedIn::Replay(#out)) => #private::Ok(#out),
                #private::Err(#rejected) => #private::Err(#rejected),
            }
        }
    }

    /// Returns a closure that classifies a failure.
    fn class(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let [error, rejected] = ["error", "rejected"].map(local);
        let class = value_of(self.keys.on.as_ref())
            .map_or_else(|| context.classify(&error), |on| context.class_of(&error, on));
        let Some(signal) = context.read_signal() else { return quote!(|#error| #class) };
        quote! {
            |#error| match #signal.class() {
                #private::Some(#rejected) => #rejected,
                #private::None => #class,
            }
        }
    }

    fn keep(&self) -> &Keep {
        value_of(self.keys.keep.as_ref()).unwrap_or(&Keep::Ok)
    }
}

impl Keep {
    fn generate(&self, context: &Context) -> TokenStream {
        let Context { private, returns, .. } = context;
        match self {
            Self::Ok => quote!(#private::idempotent::KeepOk),
            Self::OkAndPermanent => quote!(#private::idempotent::KeepOkAndPermanent),
            Self::Nothing => quote!(#private::idempotent::KeepNothing),
            Self::With(with) => {
                let at = Span::mixed_site().located_at(with.span());
                let here = context.private_at(at);
                let with = value::called(with.clone());
                quote_spanned!(at=> #here::idempotent::keep_with::<#returns, _>(#with))
            }
        }
    }
}
