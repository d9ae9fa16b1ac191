//! `#[idempotent]`: the body runs once for each key.

mod hints;
mod keys;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr, Signature};

use self::keys::{Policy, unknown, word};
use crate::args::{Args, Keyed, Value};
use crate::async_trait;
use crate::attrs::{Attribute, Role};
use crate::diagnostics::Errors;
use crate::function::{Binding, Taken};
use crate::hint::Hint;
use crate::mark::Mark;
use crate::splice::{Site, local};
use crate::tokens::any_ident;
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

/// By what a call is known.
enum Identity {
    Key {
        key: Box<Expr>,
        scope: Box<Scope>,
        optional: bool,
    },
    /// By the key of the call around it.
    Step(LitStr),
}

/// Whose key it is.
enum Scope {
    Global,
    Of(Expr),
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
    const ROLES: &'static [Role] = &[Role::Rejects, Role::Listens];
    const LATER: &'static [&'static str] =
        &["error", "keep", "on", "on_interrupted", "transaction"];
    const EXAMPLE: &'static str = "key = request_id";
    const LISTS: &'static [&'static str] = &["fingerprint"];
    const SKIP: Option<&'static str> = Some("skip");
    const HINTS: &'static [(&'static str, Hint)] = hints::HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let step = args.value("step", errors, |expr| value::text("step", expr));
        let identity = Identity::read(step.as_ref(), args, errors);
        let store = args.value("store", errors, store).map(|keyed| keyed.value);
        let transaction = args.value("transaction", errors, Ok);
        if let Some(transaction) = transaction.as_ref().filter(|_| store.is_none()) {
            errors.add(
                &transaction.key,
                "a transaction needs the store that is in its database: `store = self.store`",
            );
        }
        let fingerprint = fingerprint(args, errors);
        let keep = args.value("keep", errors, |expr| keep(&expr));
        let interrupted = args.value("on_interrupted", errors, |expr| interrupted(&expr));
        let (variant, reconcile) =
            interrupted.map_or((None, None), |keyed| (Some(keyed.value.0), keyed.value.1));
        let on = args.value("on", errors, |expr| value::callable("on", expr));
        let error = args.value("error", errors, |expr| value::callable("error", expr));
        let step = step.map(|step| step.value);
        let policy = Policy::read(args, variant, step.as_ref(), errors);
        Some(Self {
            policy,
            identity: identity?,
            store,
            fingerprint,
            keep: keep.map_or(Keep::Ok, |keyed| keyed.value),
            reconcile,
            transaction,
            on: on.map(|keyed| keyed.value),
            error: error.map(|keyed| keyed.value),
        })
    }

    // Output:
    //
    //     match run_async(
    //         call(policy, store, scope, &key, |about| about(about, &argument)),
    //         &KeepOk,
    //         |error| class,
    //         not_reconciled,
    //         async move { body },
    //     ).await {
    //         Ok(out) => out,
    //         Err(rejected) => reject(rejected),
    //     }
    fn generate(&self, site: &Site) -> TokenStream {
        let Site { private, returns, returns_span, .. } = site;
        let [out, rejected] = ["out", "rejected"].map(local);
        let declared = site.declare_slot();
        let call = self.call(site);
        let keeps = self.keep.generate(private);
        let class = self.class(site);
        let here = site.private_at(*returns_span);
        let run = if let Some(transaction) = &self.transaction {
            self.run_in(&transaction.value, &call, site)
        } else if site.is_async {
            let body = site.future();
            let reconcile =
                self.reconcile(quote!(#private::idempotent::not_reconciled::<#returns>));
            quote_spanned!(*returns_span=>
                #here::idempotent::run_async::<#returns, _, _, _>(
                    #call, &#keeps, #class, #reconcile, #body
                ).await
            )
        } else {
            let body = site.closure();
            let reconcile = self.reconcile(quote!(|_| #private::idempotent::Reconciled::Unknown));
            quote_spanned!(*returns_span=>
                #here::idempotent::run::<#returns, _, _>(#call, &#keeps, #class, #reconcile, #body)
            )
        };
        let turned_away = site.reject(&rejected, self.error.as_ref());
        quote! {
            #declared
            match #run {
                ::core::result::Result::Ok(#out) => #out,
                ::core::result::Result::Err(#rejected) => #turned_away,
            }
        }
    }

    fn check_order(&self, mark: &Mark, errors: &mut Errors) {
        let inside = |name: &str| mark.inner.iter().any(|inner| inner == name);
        if inside(Self::NAME) {
            errors.whole("two `#[idempotent]` on one function have one record too many: keep one");
        }
        if inside("fallback") {
            errors.whole(
                "`#[idempotent]` would store what the `#[fallback]` below it stands in with, and \
                 return it until `ttl` is over: move `#[fallback]` above `#[idempotent]`",
            );
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        if let Some(transaction) = self.transaction.as_ref().filter(|_| !is_async) {
            errors.add(&transaction.key, "`transaction` needs an `async fn`");
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
        let policy = self.policy.generate(site);
        let store = self.store(site);
        let about = self.about(site);
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
    //     match claim_in(call, &KeepOk, &mut *tx).await {
    //         Ok(ClaimedIn::Run(running)) => {
    //             let out = running.attend(async { body }).await;
    //             running.settle(&mut *tx, &KeepOk, |error| class, out).await
    //         }
    //         Ok(ClaimedIn::Replay(out)) => Ok(out),
    //         Err(rejected) => Err(rejected),
    //     }
    fn run_in(&self, transaction: &Expr, call: &TokenStream, site: &Site) -> TokenStream {
        let Site { private, returns, returns_span, .. } = site;
        let [out, rejected, running] = ["out", "rejected", "running"].map(local);
        let (keeps, class, body) = (self.keep.generate(private), self.class(site), site.future());
        let here = site.private_at(*returns_span);
        let tx = quote_spanned!(transaction.span()=> &mut *#transaction);
        let claimed = quote_spanned!(*returns_span=>
            #here::idempotent::claim_in::<#returns, _, _, _>(#call, &#keeps, #tx).await
        );
        quote! {
            match #claimed {
                #private::Ok(#private::idempotent::ClaimedIn::Run(#running)) => {
                    let #out = #running.attend(#body).await;
                    #running.settle(#tx, &#keeps, #class, #out).await
                }
                #private::Ok(#private::idempotent::ClaimedIn::Replay(#out)) => #private::Ok(#out),
                #private::Err(#rejected) => #private::Err(#rejected),
            }
        }
    }

    /// Whether an argument is something else than what the call is about.
    fn is_known(&self, name: &Ident) -> bool {
        let is = |expr: &Expr| inner(expr).is_some_and(|path| path.is_ident(name));
        let identity = match &self.identity {
            Identity::Key { key, scope, .. } => {
                is(key) || matches!(&**scope, Scope::Of(scope) if is(scope))
            }
            Identity::Step(_) => false,
        };
        let transaction = self.transaction.as_ref().map(|keyed| &keyed.value);
        identity || self.store.iter().chain(transaction).any(is)
    }

    /// A handle of the store. What is in an argument or in `self` is borrowed and has to be cloned; a
    /// reference to anything else is one to a `static`.
    fn store(&self, site: &Site) -> TokenStream {
        let private = &site.private;
        let Some(store) = &self.store else { return quote!(#private::idempotent::memory()) };
        let at = store.span();
        let there = site.private_at(at);
        let named = |expr: &Expr| {
            let is = |ident: &Ident| site.bindings.iter().any(|binding| binding.name == *ident);
            any_ident(&expr.to_token_stream(), &is)
        };
        let is_reference = |expr: &Expr| {
            inner(expr).and_then(syn::Path::get_ident).is_some_and(|name| {
                let of = |binding: &&Binding| binding.name == *name;
                let binding = site.bindings.iter().find(of);
                binding.is_some_and(|binding| binding.taken != Taken::Value)
            })
        };
        match store {
            Expr::Reference(lent) if !named(&lent.expr) => {
                quote_spanned!(at=> #there::idempotent::Static(#lent))
            }
            Expr::Reference(lent) => quote_spanned!(at=> #there::idempotent::handle(#lent)),
            lent if is_reference(lent) => quote_spanned!(at=> #there::idempotent::handle(#lent)),
            store => quote_spanned!(at=> #there::idempotent::handle(&#store)),
        }
    }

    /// A closure that puts into the fingerprint what the call is about.
    fn about(&self, site: &Site) -> TokenStream {
        let all = || {
            let names = site.bindings.iter().map(|binding| &binding.name);
            let names = names.filter(|name| !is_self(name) && !site.skipped.contains(name));
            let names = names.filter(|name| !self.is_known(name));
            names.map(|name| (name.to_token_stream(), name.span())).collect::<Vec<_>>()
        };
        let values = self.fingerprint.as_ref().map_or_else(all, |values| {
            values.iter().map(|value| (value.to_token_stream(), value.span())).collect()
        });
        let about = local("about");
        let written = values.into_iter().map(|(value, at)| {
            let there = site.private_at(at);
            let mut about = about.clone();
            about.set_span(about.span().located_at(at));
            quote_spanned!(at=> let #about = #there::idempotent::about(#about, &#value);)
        });
        quote!(|#about| { #(#written)* #about })
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

impl Identity {
    fn read(step: Option<&Keyed<LitStr>>, args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let key = args.value("key", errors, Ok);
        let scope = args.value("scope", errors, Ok);
        let optional = args.take("optional_key");
        if let Some(step) = step {
            let others = [
                key.map(|key| key.key),
                scope.map(|scope| scope.key),
                optional.map(|optional| optional.key),
            ];
            for other in others.into_iter().flatten() {
                errors.add(
                    &other,
                    format!(
                        "`{other}` and `step` exclude each other: a step has the key of the call \
                         around it"
                    ),
                );
            }
            return Some(Self::Step(step.value.clone()));
        }
        let optional = match optional.map(|optional| (optional.key, optional.value)) {
            None => false,
            Some((_, Value::Bare)) => true,
            Some((key, _)) => {
                errors
                    .add(key, "`optional_key` stands alone: a call without a key runs unprotected");
                true
            }
        };
        if key.is_none() && args.lack(&["key", "step"]) {
            errors.whole(
                "`#[idempotent]` needs the key by which a repeated call is known: \
                 `key = request_id`; inside of another idempotent call, `step = \"…\"`",
            );
        }
        if scope.is_none() && args.lack(&["scope", "step"]) {
            errors.whole(
                "`#[idempotent]` needs to know whose key it is: `scope = tenant_id`; or, for keys \
                 that nobody outside can choose, `scope = global`",
            );
        }
        let scope = match scope?.value {
            Expr::Path(path) if path.path.is_ident("global") => Scope::Global,
            other => Scope::Of(other),
        };
        Some(Self::Key { key: Box::new(key?.value), scope: Box::new(scope), optional })
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

fn store(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(_) => Err(syn::Error::new_spanned(
            expr,
            "expected a store: `store = self.store`, `store = &STORE`; without it, records stay in \
             the memory of this process",
        )),
        other => Ok(other),
    }
}

/// A name, also behind a `&`.
fn inner(expr: &Expr) -> Option<&syn::Path> {
    match expr {
        Expr::Path(path) => Some(&path.path),
        Expr::Reference(reference) => inner(&reference.expr),
        _ => None,
    }
}

/// Whether a name is that of the receiver, as written or as `#[async_trait]` has it.
fn is_self(name: &Ident) -> bool {
    name == "self" || name == async_trait::SELF
}

/// `fingerprint(order.id, order.amount)`
fn fingerprint(args: &mut Args, errors: &mut Errors) -> Option<Vec<Expr>> {
    let arg = args.take("fingerprint")?;
    match arg.value {
        Value::List(values) => Some(values),
        Value::Expr(value) => {
            let written = value.to_token_stream();
            errors.add(value, format!("`fingerprint` takes a list: `fingerprint({written})`"));
            None
        }
        Value::Bare | Value::Names(_) => {
            errors.add(
                arg.key,
                "`fingerprint` names what the call is about: `fingerprint(order.id, order.amount)`",
            );
            None
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
fn interrupted(expr: &Expr) -> syn::Result<(&'static str, Option<Expr>)> {
    match word(expr) {
        Some((word, None)) if word == "rerun" => Ok(("Rerun", None)),
        Some((word, None)) if word == "unknown" => Ok(("Unknown", None)),
        Some((word, Some(with))) if word == "reconcile" => Ok(("Reconcile", Some(with))),
        _ => Err(unknown("on_interrupted", expr, &["rerun", "unknown", "reconcile(path)"])),
    }
}
