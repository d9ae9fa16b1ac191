//! `#[fallback]`: something in place of a failure.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

use crate::args::{Args, Keyed};
use crate::attrs::{Attribute, Role};
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::mark::Mark;
use crate::splice::{Site, local};
use crate::value;

/// The validated keys.
pub(crate) struct Fallback {
    answer: Answer,
    on: Option<Expr>,
    on_ok: Option<Expr>,
    name: Option<LitStr>,
}

enum Answer {
    Value(Expr),
    With(Expr),
}

impl Attribute for Fallback {
    const NAME: &'static str = "fallback";
    const ROLES: &'static [Role] = &[];
    const LATER: &'static [&'static str] = &["value", "with", "on", "on_ok"];
    const EXAMPLE: &'static str = "value = …";
    const HINTS: &'static [(&'static str, Hint)] = HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let value = args.value("value", errors, Ok);
        let with = args.value("with", errors, with);
        let on = args.value("on", errors, |expr| value::callable("on", expr));
        let on_ok = args.value("on_ok", errors, |expr| value::callable("on_ok", expr));
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let answer = match (value, with) {
            (Some(value), None) => Answer::Value(value.value),
            (None, Some(with)) => Answer::With(with.value),
            (Some(value), Some(with)) => {
                let message = "`value` and `with` exclude each other: a value, or a function of the \
                               error that makes one";
                errors.add(value.key, message);
                errors.add(&with.key, message);
                Answer::With(with.value)
            }
            (None, None) => {
                if args.lack(&["value", "with"]) {
                    errors.whole(
                        "`#[fallback]` needs what to fall back to: `value = …`, or \
                         `with = |error| …`",
                    );
                }
                return None;
            }
        };
        if let (Answer::With(_), Some(on_ok)) = (&answer, &on_ok) {
            errors.add(
                &on_ok.key,
                "`with` is a function of the error, and a value has none: beside `on_ok` write \
                 `value = …`",
            );
        }
        let expr = |keyed: Option<Keyed<Expr>>| keyed.map(|keyed| keyed.value);
        let name = name.map(|name| name.value);
        Some(Self { answer, on: expr(on), on_ok: expr(on_ok), name })
    }

    // Output:
    //
    //     'layer: {
    //         let out = async { body }.await;
    //         if out.is_ok() { break 'layer out; }
    //         let answer = match fall_back(out, name, on) {
    //             Ok(out) => break 'layer out,
    //             Err(error) => with(error),
    //         };
    //         recovered(Answer(answer).answer().await)
    //     }
    //
    // The failure is gone before the answer is awaited, so that it need not be `Send`.
    //
    // With `on_ok`, which has to see a success as well, and answers with a value only:
    //
    //         let out = async { body }.await;
    //         let answer = match stands(out, name, on, on_ok) {
    //             Some(out) => break 'layer out,
    //             None => value,
    //         };
    fn generate(&self, site: &Site) -> TokenStream {
        let Site { private, returns, returns_span, .. } = site;
        let [out, error, answer, layer] = ["out", "error", "answer", "layer"].map(local);
        let layer = syn::Lifetime { apostrophe: layer.span(), ident: layer };
        let run = site.run();
        let on = self.on.as_ref();
        let on = on.map_or_else(|| quote!(#private::match_all), ToTokens::to_token_stream);
        let here = site.private_at(*returns_span);
        let name = site.policy_name(self.name.as_ref());
        let (error, made, at) = match &self.answer {
            // What the error was does not matter to a value.
            Answer::Value(value) => (quote!(_), quote!(#value), value.span()),
            Answer::With(with) => {
                let at = with.span();
                let error = Ident::new(&error.to_string(), error.span().located_at(at));
                let there = site.private_at(at.resolved_at(Span::call_site()));
                let answer = match with {
                    Expr::Path(with) => quote_spanned!(at=> #with(#error)),
                    with => quote_spanned!(at=> #there::answer::<#returns, _>(#error, #with)),
                };
                (quote!(#error), answer, at)
            }
        };
        let answered = if let Some(on_ok) = &self.on_ok {
            let stands = quote_spanned!(*returns_span=>
                #here::keep_outcome::<#returns, _, _>(#out, #name, #on, #on_ok)
            );
            quote! {
                let #answer = match #stands {
                    #private::Some(#out) => break #layer #out,
                    #private::None => #made,
                };
            }
        } else {
            let is_ok = site.is_ok(&out);
            let fall_back = quote_spanned!(*returns_span=>
                #here::fall_back::<#returns, _>(#out, #name, #on)
            );
            quote! {
                if #is_ok {
                    break #layer #out;
                }
                let #answer = match #fall_back {
                    ::core::result::Result::Ok(#out) => break #layer #out,
                    ::core::result::Result::Err(#error) => #made,
                };
            }
        };
        let awaited = if site.is_async && self.answer.may_be_future() {
            quote!({
                #[allow(unused_imports)]
                use #private::Ready as _;
                #private::Answer(#answer).answer().await
            })
        } else {
            quote!(#answer)
        };
        let there = site.private_at(at);
        let recovered = quote_spanned!(at=> #there::recovered::<#returns, _>(#awaited));
        let clear = site.clear_slot();
        quote! {
            #layer: {
                let #out = #run;
                #answered
                #clear
                #recovered
            }
        }
    }

    fn check_order(&self, mark: &Mark, errors: &mut Errors) {
        if self.on.is_some() {
            return;
        }
        let dead = |name: &&str| mark.outer.iter().any(|outer| outer == name);
        if let Some(name) = ["retry", "circuit_breaker"].iter().find(|name| dead(name)) {
            errors.whole(format!(
                "this `#[fallback]` turns every failure into a success, so `#[{name}]` above it \
                     would never see one: move `#[fallback]` above `#[{name}]`, or say for which \
                     errors it is, `on = …`"
            ));
        }
    }
}

impl Answer {
    /// Whether the answer may have to be awaited: a value is none to wait for, and neither is what a
    /// constructor like `Err` makes.
    fn may_be_future(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::With(Expr::Path(with)) => {
                let last = with.path.segments.last().map(|last| last.ident.to_string());
                !last.is_some_and(|last| last.starts_with(char::is_uppercase))
            }
            Self::With(_) => true,
        }
    }
}

/// A function of the error; a literal was meant as a value.
fn with(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(value) => {
            let written = value.to_token_stream();
            let words = format!(
                "a value is written `value = {written}`; `with` is a function of the error"
            );
            Err(syn::Error::new_spanned(value, words))
        }
        other => value::callable("with", other),
    }
}

/// The names that other libraries use.
const HINTS: &[(&str, Hint)] = &[
    ("default", Hint::Same("value", "…", "what is returned instead")),
    ("default_value", Hint::Same("value", "…", "what is returned instead")),
    ("fallback", Hint::Same("with", "|error| …", "called with the error")),
    ("fallback_method", Hint::Same("with", "|error| …", "called with the error")),
    ("method", Hint::Same("with", "|error| …", "called with the error")),
    ("handler", Hint::Same("with", "|error| …", "called with the error")),
    ("function", Hint::Same("with", "|error| …", "called with the error")),
    ("when", Hint::Same("on", "is_unavailable", "for which errors it is")),
    ("apply_on", Hint::Same("on", "is_unavailable", "for which errors it is")),
    ("handle_result", Hint::Same("on_ok", "is_busy", "for which values it is")),
    ("skip_on", Hint::Other("write `on = |error| !matches!(error, …)`")),
    ("exceptions", Hint::Other("write `on = |error| matches!(error, …)`")),
];
