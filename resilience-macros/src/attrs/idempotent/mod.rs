//! `#[idempotent]`: the body runs once for each key.

mod about;
mod hints;
mod identity;
mod keys;
mod store;
mod transaction;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Signature};

use self::identity::{Identity, Scope, Words};
use self::keys::{Interrupted, Policy, unknown, word};
use crate::args::{Args, Keyed};
use crate::attrs::{Attribute, Role};
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::mark::Mark;
use crate::splice::{Site, local};
use crate::value;

/// The validated keys.
pub(crate) struct Idempotent {
    policy: Policy,
    identity: Identity,
    store: Option<Expr>,
    /// What the call is about; without it, all arguments.
    fingerprint: Option<Vec<Expr>>,
    keep: Keep,
    reconcile: Option<Expr>,
    /// The transaction of the caller's that all of it is a part of.
    transaction: Option<Keyed<Expr>>,
    on: Option<Expr>,
    error: Option<Expr>,
}

/// Which outcomes are stored.
enum Keep {
    Ok,
    OkAndPermanent,
    Nothing,
    With(Expr),
}

impl Attribute for Idempotent {
    const NAME: &'static str = "idempotent";
    const ROLES: &'static [Role] = &[Role::Rejects, Role::Listens, Role::Remembers];
    const LATER: &'static [&'static str] =
        &["error", "keep", "on", "on_interrupted", "transaction"];
    const EXAMPLE: &'static str = "key = request_id";
    const LISTS: &'static [&'static str] = &["fingerprint"];
    const SKIP: Option<&'static str> = Some("skip");
    const HINTS: &'static [(&'static str, Hint)] = hints::HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let words = Words::take(args, errors);
        let store = args.value("store", errors, store::given).map(|keyed| keyed.value);
        let transaction = args.value("transaction", errors, transaction::place);
        if let Some(transaction) = transaction.as_ref().filter(|_| store.is_none()) {
            errors.add(
                &transaction.key,
                "a transaction needs the store that is in its database: `store = self.store`",
            );
        }
        let fingerprint = about::fingerprint(args, errors);
        let keep = args.value("keep", errors, |expr| keep(&expr));
        let interrupted = args.value("on_interrupted", errors, |expr| interrupted(&expr));
        let on = args.value("on", errors, |expr| value::callable("on", expr));
        let error = args.value("error", errors, |expr| value::callable("error", expr));
        let step = words.step.as_ref().map(|step| &step.value);
        let policy = Policy::read(args, interrupted.as_ref(), step, errors);
        if transaction.is_some() {
            policy.is_in_transaction(errors);
        }
        let identity = words.read(args, errors);
        Some(Self {
            policy,
            identity: identity?,
            store,
            fingerprint,
            keep: keep.map_or(Keep::Ok, |keyed| keyed.value),
            reconcile: interrupted.and_then(|keyed| keyed.value.with),
            transaction,
            on: on.map(|keyed| keyed.value),
            error: error.map(|keyed| keyed.value),
        })
    }

    // Output:
    //
    //     let call = call(policy, store, scope, &key, |about| about(about, &argument));
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
    fn generate(&self, site: &Site) -> TokenStream {
        let Site { private, returns, returns_span, .. } = site;
        let [out, rejected, asked] = ["out", "rejected", "call"].map(local);
        let declared = site.declare_slot();
        let call = self.call(site);
        let keeps = self.keep.generate(private);
        let class = self.class(site);
        let here = site.private_at(*returns_span);
        let (held, run) = if let Some(transaction) = &self.transaction {
            // Ended before the first wait, because it looks at the transaction.
            (quote!(let #asked = #call;), self.run_in(&transaction.value, &asked, site))
        } else if site.is_async {
            let (body, future) = (local("body"), site.future());
            // The key is read before the body borrows what it needs for itself.
            let held = quote! {
                let #asked = #call;
                let #body = ::core::pin::pin!(::core::option::Option::Some(#future));
            };
            let reconcile =
                self.reconcile(quote!(#private::idempotent::not_reconciled::<#returns>));
            let run = quote_spanned!(*returns_span=>
                #here::idempotent::run_async::<#returns, _, _, _>(
                    #asked, &#keeps, #class, #reconcile, #here::idempotent::PinnedBody(#body)
                ).await
            );
            (held, run)
        } else {
            let body = site.closure();
            let reconcile = self.reconcile(quote!(|_| #private::idempotent::Reconciled::Unknown));
            let run = quote_spanned!(*returns_span=>
                #here::idempotent::run::<#returns, _, _>(#call, &#keeps, #class, #reconcile, #body)
            );
            (TokenStream::new(), run)
        };
        let turned_away = site.reject(&rejected, self.error.as_ref());
        quote! {
            #declared
            #held
            let #out = #run;
            match #out {
                ::core::result::Result::Ok(#out) => #out,
                ::core::result::Result::Err(#rejected) => #turned_away,
            }
        }
    }

    fn check_order(&self, mark: &Mark, errors: &mut Errors) {
        if let Some(transaction) = &self.transaction {
            transaction::check_order(transaction, mark, errors);
        }
        let inside = |name: &str| mark.inner.iter().any(|inner| inner == name);
        if inside(Self::NAME) {
            errors.whole("two `#[idempotent]` on one function have one record too many: keep one");
        }
        if let Some(horizon) = mark.horizon {
            self.policy.outlasts(horizon, errors);
        }
        if inside("fallback") {
            errors.whole(
                "`#[idempotent]` would store what the `#[fallback]` below it stands in with, and \
                 return it until `ttl` is over: move `#[fallback]` above `#[idempotent]`",
            );
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        if let Some(transaction) = &self.transaction {
            transaction::check_function(transaction, function, is_async, errors);
        }
        if function.receiver().is_some() && self.policy.is_named_by_its_path() {
            errors.whole(format!(
                "a method needs a name for its records, because another type of this module may have \
                 a `{0}` too: `name = \"payments.{0}\"`",
                function.ident
            ));
        }
    }
}

impl Idempotent {
    /// The call, or what is wrong with its key.
    fn call(&self, site: &Site) -> TokenStream {
        let private = &site.private;
        let policy = self.policy.generate(site, self.reconcile.is_some());
        let transaction = self.transaction.as_ref().map(|transaction| &transaction.value);
        let store = store::generate(self.store.as_ref(), transaction, site);
        let mut known: Vec<&Expr> = self.store.iter().collect();
        known.extend(transaction);
        if let Identity::Key { key, scope, .. } = &self.identity {
            known.push(key);
            if let Scope::Of(scope) = &**scope {
                known.push(scope);
            }
        }
        let about = about::generate(self.fingerprint.as_deref(), &known, site);
        match &self.identity {
            Identity::Step(step) => quote! {
                #private::idempotent::step(#policy, #store, #step, #about)
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
                quote!(#private::idempotent::#make(#policy, #store, #scope, #key, #about))
            }
        }
    }

    // Output:
    //
    //     let call = call(policy, in_database(&*tx, store), scope, &key, |about| about(about, &argument));
    //     match claim_in(call, &KeepOk, &mut *tx).await {
    //         Ok(ClaimedIn::Run(running)) => {
    //             let out = running.run(async { let tx = &mut *tx; body }).await;
    //             running.settle(&mut *tx, &KeepOk, |error| class, out).await
    //         }
    //         Ok(ClaimedIn::Replay(out)) => Ok(out),
    //         Err(rejected) => Err(rejected),
    //     }
    fn run_in(&self, transaction: &Expr, call: &Ident, site: &Site) -> TokenStream {
        let Site { private, returns, returns_span, .. } = site;
        let [out, rejected, running] = ["out", "rejected", "running"].map(local);
        let (keeps, class) = (self.keep.generate(private), self.class(site));
        // The body may give away what it is lent; it is needed again behind it.
        let lent = match transaction {
            Expr::Path(tx) => tx.path.get_ident().map(|tx| quote!(let #tx = &mut *#tx;)),
            _ => None,
        };
        let body = site.future_behind(lent.as_ref());
        let here = site.private_at(*returns_span);
        let tx = quote_spanned!(transaction.span()=> &mut *#transaction);
        let claimed = quote_spanned!(*returns_span=>
            #here::idempotent::claim_in::<#returns, _, _, _>(#call, &#keeps, #tx).await
        );
        quote! {
            match #claimed {
                #private::Ok(#private::idempotent::ClaimedIn::Run(#running)) => {
                    let #out = #running.run(#body).await;
                    #running.settle(#tx, &#keeps, #class, #out).await
                }
                #private::Ok(#private::idempotent::ClaimedIn::Replay(#out)) => #private::Ok(#out),
                #private::Err(#rejected) => #private::Err(#rejected),
            }
        }
    }

    /// A closure that says what a failure means.
    fn class(&self, site: &Site) -> TokenStream {
        let private = &site.private;
        let [error, rejected] = ["error", "rejected"].map(local);
        let class = self
            .on
            .as_ref()
            .map_or_else(|| site.own_class(&error), |on| quote!(#private::class_of(#error, #on)));
        let Some(slot) = site.listened_slot() else { return quote!(|#error| #class) };
        quote! {
            |#error| match #slot.class() {
                #private::Some(#rejected) => #rejected,
                #private::None => #class,
            }
        }
    }

    fn reconcile(&self, without: TokenStream) -> TokenStream {
        self.reconcile.as_ref().map_or(without, ToTokens::to_token_stream)
    }
}

impl Keep {
    fn generate(&self, private: &TokenStream) -> TokenStream {
        match self {
            Self::Ok => quote!(#private::idempotent::KeepOk),
            Self::OkAndPermanent => quote!(#private::idempotent::KeepOkAndPermanent),
            Self::Nothing => quote!(#private::idempotent::KeepNothing),
            Self::With(with) => quote!(#private::idempotent::KeepWith(#with)),
        }
    }
}

/// `keep = ok`, `keep = ok_and_permanent`, `keep = nothing`, `keep = with(path)`
fn keep(expr: &Expr) -> syn::Result<Keep> {
    match word(expr) {
        Some((word, None)) if word == "ok" => Ok(Keep::Ok),
        Some((word, None)) if word == "ok_and_permanent" => Ok(Keep::OkAndPermanent),
        Some((word, None)) if word == "nothing" => Ok(Keep::Nothing),
        Some((word, Some(with))) if word == "with" => Ok(Keep::With(with)),
        _ => Err(unknown("keep", expr, &["ok", "ok_and_permanent", "nothing", "with(path)"])),
    }
}

/// `on_interrupted = rerun`, `on_interrupted = unknown`, `on_interrupted = reconcile(path)`
fn interrupted(expr: &Expr) -> syn::Result<Interrupted> {
    let words = |variant, with| Ok(Interrupted { variant, with });
    match word(expr) {
        Some((word, None)) if word == "rerun" => words("Rerun", None),
        Some((word, None)) if word == "unknown" => words("Unknown", None),
        Some((word, with @ Some(_))) if word == "reconcile" => words("Reconcile", with),
        _ => Err(unknown("on_interrupted", expr, &["rerun", "unknown", "reconcile(path)"])),
    }
}
