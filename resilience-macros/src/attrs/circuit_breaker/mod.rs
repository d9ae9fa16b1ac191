//! `#[circuit_breaker]`: a guard before the body, and a word after it.

mod checks;
mod hints;
mod keys;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, LitStr, Signature};

use self::keys::Keys;
use crate::args::{Args, Keyed};
use crate::attrs::{Attribute, Role};
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::mark::Mark;
use crate::splice::{Site, local};
use crate::state_source::Owned;
use crate::value;

/// The validated keys.
pub(crate) struct CircuitBreaker {
    breaker: Owned,
    keys: Keys,
    on: Option<Expr>,
    on_ok: Option<Expr>,
    error: Option<Expr>,
    name: Option<LitStr>,
}

impl Attribute for CircuitBreaker {
    const NAME: &'static str = "circuit_breaker";
    const ROLES: &'static [Role] = &[Role::Listens, Role::Rejects];
    const LATER: &'static [&'static str] = &["on", "on_ok", "error"];
    const EXAMPLE: &'static str = "failure_threshold = 5";
    const BY_HAND: &'static str = "breaker";
    const HINTS: &'static [(&'static str, Hint)] = hints::HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let keys = Keys::read(args, errors);
        let on = args.value("on", errors, |expr| value::callable("on", expr));
        let on_ok = args.value("on_ok", errors, |expr| value::callable("on_ok", expr));
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let breaker = Owned::read("breaker", "CircuitBreaker", args, errors);
        if breaker.is_shared() {
            let name = name.as_ref().map(|keyed| &keyed.key);
            let given: Vec<Ident> = keys.given().into_iter().chain(name).cloned().collect();
            Owned::exclude("breaker", &given, errors);
        } else {
            keys.check(errors);
        }
        if let (Some(shared), true) = (&keys.shared, breaker.is_keyed()) {
            errors.add(
                &shared.key,
                "`shared` and `key` exclude each other: a key is not kept, so no other process could \
                 know which it is",
            );
        }
        let error = args.value("error", errors, |expr| value::callable("error", expr));
        let expr = |keyed: Option<Keyed<Expr>>| keyed.map(|keyed| keyed.value);
        let name = name.map(|keyed| keyed.value);
        Some(Self { breaker, keys, on: expr(on), on_ok: expr(on_ok), error: expr(error), name })
    }

    // Output:
    //
    //     let breaker = { static BREAKER: CircuitBreaker = …; &BREAKER };
    //     'layer: {
    //         let guard = match breaker.enter() {
    //             Ok(guard) => guard,
    //             Err(rejected) => break 'layer reject(rejected),
    //         };
    //         let out = async move { body }.await;
    //         if out.is_ok() { guard.success(); break 'layer out; }
    //         let (out,) = guard.settled(out, on, slot);
    //         out
    //     }
    //
    // With `on_ok`, which has to see a success as well, the last three lines are:
    //
    //         let (out,) = guard.judged(out, on, on_ok, slot);
    //         out
    fn generate(&self, site: &Site) -> TokenStream {
        let Site { returns, returns_span, .. } = site;
        let [breaker, guard, rejected, out, layer] =
            ["breaker", "guard", "rejected", "out", "layer"].map(local);
        let layer = syn::Lifetime { apostrophe: layer.span(), ident: layer };
        let name = site.policy_name(self.name.as_ref());
        let (policy, checks) = self.keys.policy(site, &name);
        let declared = site.declare_slot();
        let get = self.breaker.get(&breaker, &policy, site);
        let enter = match (self.breaker.is_static(), self.keys.is_timed()) {
            (true, false) => "enter",
            (true, true) => "enter_timed",
            (false, _) => "try_acquire",
        };
        let enter = Ident::new(enter, Span::call_site());
        let turned_away = site.reject(&rejected, self.error.as_ref());
        let run = site.run();
        let (on, slot) = (site.meaning(self.on.as_ref()), site.heard_slot());
        let private = site.private_at(*returns_span);
        let record = if let Some(on_ok) = &self.on_ok {
            let judged = quote_spanned!(*returns_span=>
                #private::CircuitGuard::record::<#returns, _, _>(#guard, #out, #on, #on_ok, #slot)
            );
            quote!(let (#out,) = #judged;)
        } else {
            let is_ok = site.is_ok(&out);
            let settled = quote_spanned!(*returns_span=>
                #private::CircuitGuard::record_error::<#returns, _>(#guard, #out, #on, #slot)
            );
            quote! {
                if #is_ok {
                    #guard.success();
                    break #layer #out;
                }
                let (#out,) = #settled;
            }
        };
        quote! {
            #checks
            #declared
            #get
            #layer: {
                let #guard = match #breaker.#enter() {
                    ::core::result::Result::Ok(#guard) => #guard,
                    ::core::result::Result::Err(#rejected) => break #layer #turned_away,
                };
                let #out = #run;
                #record
                #out
            }
        }
    }

    fn check_order(&self, mark: &Mark, errors: &mut Errors) {
        let is = |layers: &[String]| layers.iter().any(|name| name == "timeout");
        // A breaker from elsewhere has been told where it was made, or not: nobody can see it here.
        let is_told = self.keys.abandoned.is_some() || self.breaker.is_shared();
        if is(&mark.outer) && !is(&mark.inner) && !is_told {
            errors.whole("a `#[timeout]` above `#[circuit_breaker]` drops a call that hangs, and the breaker \
                 never hears of it: put the `#[timeout]` below, or another one, or say what a dropped \
                 call is, `abandoned = \"failure\"` or `abandoned = \"ignore\"`",
            );
        }
    }

    fn check_function(&self, function: &Signature, _: bool, errors: &mut Errors) {
        self.breaker.check_generics(function, errors);
        if !self.breaker.is_shared() {
            self.keys.check_generics(function, errors);
        }
    }
}
