//! `#[retry]`: a loop around the body.

mod budget;
mod hints;
mod horizon;
mod keys;
mod policy;

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

use self::policy::{Plan, Policy};
use crate::args::{Args, Value};
use crate::attrs::{Attribute, Role};
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::mark::Mark;
use crate::splice::{Site, local};
use crate::value;

/// The validated keys.
pub(crate) struct Retry {
    policy: Policy,
    on: Option<Expr>,
    on_ok: Option<Expr>,
    on_retry: Option<Expr>,
    on_give_up: Option<Expr>,
    name: Option<LitStr>,
    /// The local in the body that stands for the attempt.
    bind: Option<Ident>,
    /// The level of a scheduled retry, as the runtime calls it; `None` is silence.
    log: Option<&'static str>,
    clones: Vec<Ident>,
}

/// What both forms of a round are made of.
struct Parts<'p> {
    state: &'p Ident,
    layer: &'p syn::Lifetime,
    plan: &'p Plan,
    /// One run of the body.
    attempt: TokenStream,
    /// The statement that tells a budget of a success.
    succeeded: Option<TokenStream>,
    /// The budget, or `None`.
    budget: TokenStream,
}

/// The levels of `log`: as written, and as the runtime calls them.
const LEVELS: &[(&str, Option<&str>)] =
    &[("warn", Some("Warn")), ("info", Some("Info")), ("debug", Some("Debug")), ("off", None)];

impl Attribute for Retry {
    const NAME: &'static str = "retry";
    const ROLES: &'static [Role] = &[Role::Repeats, Role::Listens, Role::Bounds];
    // It repeats: the arguments are lent whatever its keys name.
    const LATER: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "attempts = 4";
    const HINTS: &'static [(&'static str, Hint)] = hints::HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let policy = Policy::validate(args, errors);
        let mut callable = |key| {
            let value = args.value(key, errors, |expr| value::callable(key, expr));
            value.map(|keyed| keyed.value)
        };
        let [on, on_ok, on_retry, on_give_up] =
            ["on", "on_ok", "on_retry", "on_give_up"].map(&mut callable);
        let bind = args.value("bind", errors, bind).map(|keyed| keyed.value);
        let log = args.value("log", errors, |expr| value::choice("log", expr, LEVELS));
        let log = log.map_or(Some("Warn"), |keyed| keyed.value);
        let clones = clones(args, errors);
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let name = name.map(|keyed| keyed.value);
        Some(Self { policy, on, on_ok, on_retry, on_give_up, name, bind, log, clones })
    }

    fn horizon(&self) -> Option<Duration> {
        self.policy.horizon()
    }

    // Output, for an async function without hooks:
    //
    //     let mut state = RetryState::new();
    //     'layer: loop {
    //         let pause = {
    //             let out = async { body }.await;
    //             let pause = match out.as_result() {
    //                 Ok(_) => break 'layer out,
    //                 Err(error) => state.next(policy, spending, error.class(), log),
    //             };
    //             match pause {
    //                 None => break 'layer out,
    //                 Some(pause) => pause,
    //             }
    //         };
    //         pause.wait().await;
    //     }
    //
    // For the others see `watched`.
    fn generate(&self, site: &Site) -> TokenStream {
        let private = &site.private;
        let [state, spending, layer] = ["state", "spending", "layer"].map(local);
        let layer = syn::Lifetime { apostrophe: layer.span(), ident: layer };
        let plan = self.policy.generate(site, self.name.as_ref());
        let Plan { setup, begin, constant, spends, .. } = &plan;
        let bind = self.bind.as_ref();
        let bind = bind.map(|bind| quote!(let #bind = #state.attempt(#constant);));
        let attempt = site.attempt(bind.as_ref());
        let bound = site.mark.bound.as_ref();
        let bound = bound.map(|bound| quote!(let #bound = #state.bound(#constant);));
        let declared = site.declare_slot();
        let succeeded = spends.then(|| quote!(#spending.succeeded();));
        let retrying = spends.then(|| quote!(#spending.retrying();));
        let budget =
            if *spends { quote!(#private::Some(&#spending)) } else { quote!(#private::None) };
        let parts = Parts { state: &state, layer: &layer, plan: &plan, attempt, succeeded, budget };
        let watched = self.on_ok.is_some() || self.on_retry.is_some() || self.on_give_up.is_some();
        let round = if site.is_async && !watched {
            self.plain(site, parts)
        } else {
            self.watched(site, parts)
        };
        quote! {
            #declared
            #setup
            let mut #state = #begin;
            #layer: loop {
                #bound
                #round
                #retrying
            }
        }
    }

    fn check_order(&self, mark: &Mark, errors: &mut Errors) {
        if mark.inner.iter().any(|name| name == Self::NAME) {
            errors.whole("two `#[retry]` on one function multiply their attempts: keep one");
        }
    }

    fn clones(&self) -> &[Ident] {
        &self.clones
    }
}

impl Retry {
    /// A round of an async loop in which the engine is handed no more than what the failure means: it has
    /// no type of the function's to be compiled for.
    fn plain(&self, site: &Site, parts: Parts<'_>) -> TokenStream {
        let Site { returns, private, .. } = site;
        let Parts { state, layer, plan: Plan { policy, .. }, attempt, succeeded, budget } = parts;
        let [out, error, pause, rejected] = ["out", "error", "pause", "rejected"].map(local);
        // Spanned at the return type: a type that is no outcome is underlined there, once.
        let at = site.returns_span;
        let there = site.private_at(at);
        let result = quote_spanned!(at=> <#returns as #there::Outcome>::as_result(&#out));
        let class = self.on.as_ref().map_or_else(
            || site.own_class(&error),
            |on| quote_spanned!(at=> #there::class_of(#error, #on)),
        );
        let slot = site.listened_slot();
        let class = match slot {
            Some(slot) => quote! {
                match #slot.class() {
                    #private::Some(#rejected) => #rejected,
                    #private::None => #class,
                }
            },
            None => class,
        };
        let clear = slot.map(|slot| quote!(#slot.clear();));
        let log = self.log.map_or_else(
            || quote!(#private::None),
            |level| {
                let level = Ident::new(level, Span::call_site());
                quote!(#private::failure_log!(#level, #error))
            },
        );
        quote! {
            let #pause = {
                let #out = #attempt;
                let #pause = match #result {
                    #private::Ok(_) => {
                        #succeeded
                        break #layer #out;
                    }
                    #private::Err(#error) => {
                        #private::RetryState::next(&mut #state, #policy, #budget, #class, #log)
                    }
                };
                match #pause {
                    #private::None => break #layer #out,
                    #private::Some(#pause) => {
                        #clear
                        #pause
                    }
                }
            };
            #private::Delay::wait(#pause).await;
        }
    }

    /// A round in which the engine calls the user's hooks, or asks about a success as well, and every
    /// round of a sync function, where a second call for the wait would cost the happy path. The
    /// engine takes the outcome by value, and drops it before the wait.
    fn watched(&self, site: &Site, parts: Parts<'_>) -> TokenStream {
        let Site { is_async, returns, private, .. } = site;
        let Parts { state, layer, plan: Plan { policy, .. }, attempt, succeeded, budget } = parts;
        let [out, next, pause, under] = ["out", "next", "pause", "under"].map(local);
        let (on, slot) = (site.meaning(self.on.as_ref()), site.heard_slot());
        let on_ok = self.on_ok.as_ref().map_or_else(|| quote!(#private::never_retry), quote_expr);
        let (on_retry, on_give_up) = self.hooks(private);
        let is_ok = site.is_ok(&out);
        let at = site.returns_span;
        let there = site.private_at(at);
        let step = |step: TokenStream, state: TokenStream| {
            quote_spanned!(at=> #there::RetryState::#step::<#returns, _, _, _>(
                #state, #under, #slot, #out, #on, #on_ok, #on_retry, #on_give_up
            ))
        };
        // With `on_ok` a success may have to be repeated as well.
        let success = self.on_ok.is_none();
        let success = success.then(|| quote!(if #is_ok { #succeeded break #layer #out; }));
        let attempt = quote! {
            let #out = #attempt;
            #success
            let #under = #private::CallContext { policy: #policy, spending: #budget };
        };
        if *is_async {
            let step = step(quote!(step), quote!(#state));
            quote! {
                let (#next, #pause) = {
                    #attempt
                    match #step {
                        ::core::ops::ControlFlow::Break(#out) => break #layer #out,
                        ::core::ops::ControlFlow::Continue(#next) => #next,
                    }
                };
                #state = #next;
                #private::Delay::wait(#pause).await;
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

    /// The hooks, inside what logs the events where the runtime has that feature.
    fn hooks(&self, private: &TokenStream) -> (TokenStream, TokenStream) {
        let or = |hook: &Option<Expr>, none: TokenStream| hook.as_ref().map_or(none, quote_expr);
        let on_retry = or(&self.on_retry, quote!(#private::no_retry_hook));
        let on_give_up = or(&self.on_give_up, quote!(#private::no_give_up_hook));
        let Some(level) = self.log else { return (on_retry, on_give_up) };
        let level = Ident::new(level, Span::call_site());
        (
            quote!(#private::logged!(retry, #level, #on_retry)),
            quote!(#private::logged!(give_up, #on_give_up)),
        )
    }
}

fn quote_expr(expr: &Expr) -> TokenStream {
    expr.to_token_stream()
}

/// `bind = name`
fn bind(expr: Expr) -> syn::Result<Ident> {
    match expr {
        Expr::Path(path) if path.path.get_ident().is_some() => path.path.require_ident().cloned(),
        other => Err(syn::Error::new_spanned(
            other,
            "`bind` names a local in the body: `bind = attempt`",
        )),
    }
}

/// `clone(a, b)`
fn clones(args: &mut Args, errors: &mut Errors) -> Vec<Ident> {
    let Some(arg) = args.take("clone") else { return Vec::new() };
    match arg.value {
        Value::Names(names) if !names.is_empty() => names,
        Value::Names(_) | Value::List(_) | Value::Bare => {
            errors.add(&arg.key, "`clone` names the arguments to clone: `clone(body)`");
            Vec::new()
        }
        Value::Expr(value) => {
            let written = value.to_token_stream();
            errors.push(syn::Error::new(
                value.span(),
                format!("`clone` takes names in parentheses: `clone({written})`"),
            ));
            Vec::new()
        }
    }
}
