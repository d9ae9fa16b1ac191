//! `#[retry]`: a loop around the body.

mod budget;
mod hints;
mod keys;
mod policy;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

use self::policy::{Plan, Policy};
use crate::args::{Args, Hint, Value};
use crate::attrs::{Attribute, Role};
use crate::diagnostics::Errors;
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

/// The levels of `log`: as written, and as the runtime calls them.
const LEVELS: &[(&str, Option<&str>)] =
    &[("warn", Some("Warn")), ("info", Some("Info")), ("debug", Some("Debug")), ("off", None)];

impl Attribute for Retry {
    const NAME: &'static str = "retry";
    const ROLES: &'static [Role] = &[Role::Repeats, Role::Listens, Role::Bounds];
    // It repeats: the arguments are lent whatever its keys name.
    const LATER: &'static [&'static str] = &[];
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
        let log = args
            .value("log", errors, |expr| value::named("log", &value::text("log", expr)?, LEVELS));
        let log = log.map_or(Some("Warn"), |keyed| keyed.value);
        let clones = clones(args, errors);
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let name = name.map(|keyed| keyed.value);
        Some(Self { policy, on, on_ok, on_retry, on_give_up, name, bind, log, clones })
    }

    // Output, for an async function; a sync one calls a closure, and one step decides and blocks:
    //
    //     let mut state = RetryState::new();
    //     'layer: loop {
    //         let (next, pause) = {
    //             let out = async { body }.await;
    //             if out.is_ok() { break 'layer out; }
    //             match state.step(under, out, on, on_ok, on_retry, on_give_up) {
    //                 Break(out) => break 'layer out,
    //                 Continue(next) => next,
    //             }
    //         };
    //         state = next;
    //         pause.wait().await;
    //     }
    fn generate(&self, site: &Site) -> TokenStream {
        let Site { is_async, returns, private, .. } = site;
        let [state, out, next, pause, under, spending, layer] =
            ["state", "out", "next", "pause", "under", "spending", "layer"].map(local);
        let layer = syn::Lifetime { apostrophe: layer.span(), ident: layer };
        let Plan { setup, begin, constant, policy, spends } =
            self.policy.generate(site, self.name.as_ref());
        let bind = self.bind.as_ref();
        let bind = bind.map(|bind| quote!(let #bind = #state.attempt(#constant);));
        let attempt = site.attempt(bind.as_ref());
        let bound = site.mark.bound.as_ref();
        let bound = bound.map(|bound| quote!(let #bound = #state.bound(#constant);));
        let on = site.meaning(self.on.as_ref());
        let on_ok = self.on_ok.as_ref().map_or_else(|| quote!(#private::accept), quote_expr);
        let (on_retry, on_give_up) = self.hooks(private);
        let is_ok = site.is_ok(&out);
        let at = site.returns_span;
        let there = site.private_at(at);
        let step = |step: TokenStream, state: TokenStream| {
            quote_spanned!(at=> #there::RetryState::#step::<#returns, _, _, _>(
                #state, #under, #out, #on, #on_ok, #on_retry, #on_give_up
            ))
        };
        // With `on_ok` a success may have to be repeated as well.
        let succeeded = spends.then(|| quote!(#spending.succeeded();));
        let success = self.on_ok.is_none();
        let success = success.then(|| quote!(if #is_ok { #succeeded break #layer #out; }));
        let retrying = spends.then(|| quote!(#spending.retrying();));
        let budget = if spends {
            quote!(::core::option::Option::Some(&#spending))
        } else {
            quote!(::core::option::Option::None)
        };
        let slot = site.heard_slot();
        let attempt = quote! {
            #bound
            let #out = #attempt;
            #success
            let #under = #private::Under { policy: #policy, spending: #budget, slot: #slot };
        };
        let round = if *is_async {
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
                #private::Pause::wait(#pause).await;
            }
        } else {
            let step = step(quote!(step_blocking), quote!(&mut #state));
            quote! {
                #attempt
                if let ::core::ops::ControlFlow::Break(#out) = #step {
                    break #layer #out;
                }
            }
        };
        let declared = site.declare_slot();
        quote! {
            #declared
            #setup
            let mut #state = #begin;
            #layer: loop {
                #round
                #retrying
            }
        }
    }

    fn check_order(&self, mark: &Mark, errors: &mut Errors) {
        if mark.inner.iter().any(|name| name == Self::NAME) {
            errors.add(
                Ident::new(Self::NAME, Span::call_site()),
                "two `#[retry]` on one function multiply their attempts: keep one",
            );
        }
    }

    fn clones(&self) -> &[Ident] {
        &self.clones
    }
}

impl Retry {
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
        Value::Names(_) | Value::Bare => {
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
