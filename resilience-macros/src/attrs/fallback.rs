//! `#[fallback]`: replaces a failure.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Lifetime};

use crate::args::{Args, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::keys::keys;
use crate::log_level::LogLevel;
use crate::stack_info::StackInfo;
use crate::value;

keys! {
    /// The keys of `#[fallback]`.
    struct Keys {
        function {
            name: text,
            log: choice(LogLevel, LOG_LEVELS),
        }
        deferred {
            value: value(Expr, Ok),
            with: value(Expr, with),
            on: callable,
            on_ok: callable,
            on_fallback: callable,
        }
    }
}

/// The levels of `log`.
const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("off", LogLevel::Off),
];

/// The validated keys.
pub(crate) struct Fallback {
    answer: Answer,
    keys: Keys,
}

enum Answer {
    Value(Expr),
    With(Expr),
}

impl LayerAttribute for Fallback {
    const NAME: &'static str = "fallback";
    const ROLES: &'static [Role] = &[Role::ReplacesFailures];
    const DEFERRED_KEYS: &'static [&'static str] = Keys::DEFERRED;
    const EXAMPLE: &'static str = "value = …";
    const HINTS: &'static [(&'static str, Hint)] = HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let mut keys = Keys::read(args, errors);
        let answer = match (keys.value.take(), keys.with.take()) {
            (Some(value), None) => Answer::Value(value.value),
            (None, Some(with)) => Answer::With(with.value),
            (Some(value), Some(with)) => {
                let message = "`value` and `with` exclude each other: a value, or a function that \
                               makes a value from the error; remove one of them";
                errors.add(value.key, message);
                errors.add(&with.key, message);
                Answer::With(with.value)
            }
            (None, None) => {
                if args.lacks(&["value", "with"]) {
                    errors.on_attribute(
                        "`#[fallback]` needs a replacement for the failure: `value = …` or \
                         `with = |error| …`",
                    );
                }
                return None;
            }
        };
        if let (Answer::With(_), Some(on_ok)) = (&answer, &keys.on_ok) {
            errors.add(
                &on_ok.key,
                "`with` is a function of an error, and a success has no error; with `on_ok` write \
                 `value = …`",
            );
        }
        Some(Self { answer, keys })
    }

    // Output:
    //
    //     'layer: {
    //         let out = async { body }.await;
    //         if out.is_ok() { break 'layer count_success!(out, …); }
    //         let answer = match fall_back(out, site, on, report) {
    //             Ok(out) => break 'layer out,
    //             Err(error) => with(error),
    //         };
    //         recovered(Answer(answer).answer().await)
    //     }
    //
    // The failure is dropped before the answer is awaited, so the failure need not be `Send`.
    //
    // With `on_ok`, which also examines a success, and for a value only:
    //
    //         let out = async { body }.await;
    //         let answer = match keep_outcome(out, site, on, on_ok, report) {
    //             Some(out) => break 'layer out,
    //             None => value,
    //         };
    fn generate(&self, context: &Context) -> TokenStream {
        let Context { private, returns, returns_span, .. } = context;
        let [out, error, answer, layer] = ["out", "error", "answer", "layer"].map(local);
        let layer = Lifetime { apostrophe: layer.span(), ident: layer };
        let run = context.run();
        let on = value_of(self.keys.on.as_ref());
        let on = on.map_or_else(|| quote!(#private::match_all), ToTokens::to_token_stream);
        let here = context.private_at(*returns_span);
        let name = context.policy_name(value_of(self.keys.name.as_ref()));
        let depth = context.depth();
        let site = quote!(&const { #private::fallback_site(#name, #depth) });
        let (error, made, at) = match &self.answer {
            // A value does not depend on the error.
            Answer::Value(value) => (quote!(_), quote!(#value), value.span()),
            Answer::With(with) => {
                let at = with.span();
                let error = Ident::new(&error.to_string(), error.span().located_at(at));
                let there = context.private_at(at.resolved_at(Span::call_site()));
                let answer = match with {
                    Expr::Path(with) => quote_spanned!(at=> #with(#error)),
                    with => quote_spanned!(at=> #there::answer::<#returns, _>(#error, #with)),
                };
                (quote!(#error), answer, at)
            }
        };
        let report = self.report(private);
        let select = if let Some(on_ok) = value_of(self.keys.on_ok.as_ref()) {
            let keep = quote_spanned!(*returns_span=>
                #here::keep_outcome::<#returns, _, _>(#out, #site, #on, #on_ok, #report)
            );
            quote! {
                let #answer = match #keep {
                    #private::Some(#out) => break #layer #out,
                    #private::None => #made,
                };
            }
        } else {
            let is_ok = context.is_ok(&out);
            let fall_back = quote_spanned!(*returns_span=>
                #here::fall_back::<#returns, _>(#out, #site, #on, #report)
            );
            quote! {
                if #is_ok {
                    break #layer #private::count_success!(
                        #out, #private::Site::counted(#site, #out)
                    );
                }
                let #answer = match #fall_back {
                    ::core::result::Result::Ok(#out) => break #layer #out,
                    ::core::result::Result::Err(#error) => #made,
                };
            }
        };
        let awaited = if context.is_async && self.answer.may_be_future() {
            quote!({
                #[allow(unused_imports)]
                use #private::Ready as _;
                #private::Answer(#answer).resilience_answer().await
            })
        } else {
            quote!(#answer)
        };
        let there = context.private_at(at);
        let recovered = quote_spanned!(at=> #there::recovered::<#returns, _>(#awaited));
        let clear = context.clear_signal();
        quote! {
            #layer: {
                let #out = #run;
                #select
                #clear
                #recovered
            }
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        if self.keys.on.is_some() {
            return;
        }
        if let Some(outer) = stack.outside(Role::ActsOnFailures) {
            let name = outer.name;
            errors.on_attribute(format!(
                "this `#[fallback]` turns every failure into a success, so `#[{name}]` above could \
                 never see a failure; move `#[fallback]` above `#[{name}]`, or select the errors \
                 with `on = …`"
            ));
        }
    }
}

impl Fallback {
    /// Returns the function that reports a fallback: the event, then the hook.
    fn report(&self, private: &TokenStream) -> TokenStream {
        let [name, failure, class] = ["name", "failure", "class"].map(local);
        let level = value_of(self.keys.log.as_ref()).copied().unwrap_or(LogLevel::Info);
        let level = level.to_tokens(private);
        let hook = value_of(self.keys.on_fallback.as_ref());
        let hook =
            hook.map_or_else(|| quote!(#private::no_fallback_hook), ToTokens::to_token_stream);
        quote! {
            |#name, #failure, #class| #private::fell_back(
                #name,
                #failure,
                #class,
                #private::known_class!(#failure),
                #private::shown!(#failure),
                #level,
                #hook,
            )
        }
    }
}

impl Answer {
    /// Returns whether the answer may be a future. A value is no future, and neither is the
    /// result of a constructor like `Err`.
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

/// Reads a function of the error. A literal belongs under `value`.
fn with(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(value) => {
            let written = value.to_token_stream();
            let message = format!("`with` is a function of the error; write `value = {written}`");
            Err(syn::Error::new_spanned(value, message))
        }
        other => value::callable("with", other),
    }
}

/// Foreign names for the keys.
const HINTS: &[(&str, Hint)] = &[
    ("default", Hint::Same("value", "…", "the value to return instead")),
    ("default_value", Hint::Same("value", "…", "the value to return instead")),
    ("fallback", Hint::Same("with", "|error| …", "called with the error")),
    ("fallback_method", Hint::Same("with", "|error| …", "called with the error")),
    ("method", Hint::Same("with", "|error| …", "called with the error")),
    ("handler", Hint::Same("with", "|error| …", "called with the error")),
    ("function", Hint::Same("with", "|error| …", "called with the error")),
    ("when", Hint::Same("on", "is_unavailable", "the errors to replace")),
    ("apply_on", Hint::Same("on", "is_unavailable", "the errors to replace")),
    ("handle_result", Hint::Same("on_ok", "is_busy", "the values to replace")),
    ("skip_on", Hint::Other("write `on = |error| !matches!(error, …)`")),
    ("exceptions", Hint::Other("write `on = |error| matches!(error, …)`")),
];
