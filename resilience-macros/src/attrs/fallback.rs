//! `#[fallback]`: replaces a failure.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use resilience_rules::{fallback as rules, keyed as keyed_rules};
use syn::spanned::Spanned;
use syn::{Expr, ExprAsync, Lifetime, Signature};

use crate::args::{Args, Keyed, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::instance_key;
use crate::keys::keys;
use crate::log_level::LogLevel;
use crate::stack_info::StackInfo;
use crate::value::{self, Constant, ConstantType};

keys! {
    /// The keys of `#[fallback]`.
    struct Keys {
        function {
            name: policy_name,
            stale: time [literal stale],
            key: key_of_call,
            max_keys: count [literal max_keys],
            scope: value((), instance_key::scope),
            log: choice(LogLevel, LOG_LEVELS),
        }
        deferred {
            value: value(Expr, replacement),
            with: value(Expr, with),
            on: callable,
            on_ok: callable,
            aged: callable,
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

/// The outcome in place of a failure.
enum Answer {
    Replacement(Replacement),
    /// The last good value, of at most this age.
    Stale(Box<Stale>),
}

enum Replacement {
    Value(Expr),
    With(Expr),
}

/// The settings of the last good values.
struct Stale {
    limit: Constant<Duration>,
    key: Expr,
    max_keys: Option<Constant<u32>>,
}

impl LayerAttribute for Fallback {
    const NAME: &'static str = "fallback";
    const ROLES: &'static [Role] = &[Role::ReplacesFailures];
    const DEFERRED_KEYS: &'static [&'static str] = Keys::DEFERRED;
    const EXAMPLE: &'static str = "value = …";

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let mut keys = Keys::read(args, errors);
        keys.check_rules(errors);
        if let Some(stale) = keys.stale.take() {
            let answer = Answer::Stale(Box::new(Self::stale(stale, &mut keys, args, errors)?));
            return Some(Self { answer, keys });
        }
        if args.lacks(&["stale"]) {
            keys.report_without_stale(errors);
        }
        let replacement = match (keys.value.take(), keys.with.take()) {
            (Some(value), None) => Replacement::Value(value.value),
            (None, Some(with)) => Replacement::With(with.value),
            (Some(value), Some(with)) => {
                let message = "`value` and `with` exclude each other: a value, or a function that \
                               makes a value from the error; remove one of them";
                errors.add(value.key, message);
                errors.add(&with.key, message);
                Replacement::With(with.value)
            }
            (None, None) => {
                if args.lacks(&["value", "with", "stale"]) {
                    errors.on_attribute(
                        "`#[fallback]` needs a replacement for the failure: `value = …`, \
                         `with = |error| …`, or the last good value: `stale = \"10m\", key = …`",
                    );
                }
                return None;
            }
        };
        if let (Replacement::With(_), Some(on_ok)) = (&replacement, &keys.on_ok) {
            errors.add(
                &on_ok.key,
                "`with` is a function of an error, and a success has no error; with `on_ok` write \
                 `value = …`",
            );
        }
        Some(Self { answer: Answer::Replacement(replacement), keys })
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.keys.name.as_ref())
    }

    fn generate(&self, context: &Context) -> TokenStream {
        match &self.answer {
            Answer::Replacement(replacement) => self.generate_replacement(replacement, context),
            Answer::Stale(stale) => self.generate_stale(stale, context),
        }
    }

    fn check_function(&self, function: &Signature, _: bool, errors: &mut Errors) {
        if let Answer::Stale(stale) = &self.answer {
            let is_global = self.keys.scope.is_some();
            instance_key::check("fallback", function, &stale.key, is_global, None, errors);
        }
        self.keys.check_generics(function, errors);
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

impl Keys {
    /// Reports the keys of the last good value in a fallback without one.
    fn report_without_stale(&self, errors: &mut Errors) {
        let given = [
            self.key.as_ref().map(|keyed| &keyed.key),
            self.max_keys.as_ref().map(|keyed| &keyed.key),
            self.scope.as_ref().map(|keyed| &keyed.key),
            self.aged.as_ref().map(|keyed| &keyed.key),
        ];
        for key in given.into_iter().flatten() {
            errors.add(
                key,
                format!(
                    "`{key}` belongs to the last good value: write `stale = \"10m\"` as well, or \
                     remove `{key}`"
                ),
            );
        }
    }
}

impl Fallback {
    /// Reads the settings of the last good value.
    fn stale(
        stale: Keyed<Constant<Duration>>,
        keys: &mut Keys,
        args: &Args,
        errors: &mut Errors,
    ) -> Option<Stale> {
        let others = [keys.value.take(), keys.with.take()];
        for other in others.into_iter().flatten() {
            let key = &other.key;
            errors.add(
                key,
                format!(
                    "`{key}` and `stale` exclude each other: one attribute has one replacement; \
                     write `{key}` in a second `#[fallback]` above, for a call without a last good \
                     value"
                ),
            );
        }
        if keys.key.is_none() && args.lacks(&["key"]) {
            errors.add(
                &stale.key,
                "`stale` needs the key of the value: write `key = id`; for a function with a single \
                 value `key = ()`",
            );
        }
        let key = keys.key.take()?.value;
        let max_keys = keys.max_keys.as_ref().map(|keyed| keyed.value.clone());
        Some(Stale { limit: stale.value, key, max_keys })
    }

    // Output:
    //
    //     'layer: {
    //         let out = async { body }.await;
    //         if out.is_ok() { break 'layer count_success!(out, …); }
    //         let (answer, effect) = match fall_back(out, site, on, report) {
    //             Ok(out) => break 'layer out,
    //             Err((error, effect)) => (with(error), effect),
    //         };
    //         replaced(recovered(Answer(answer).answer().await), effect)
    //     }
    //
    // The failure is dropped before the answer is awaited, so the failure need not be `Send`.
    //
    // With `on_ok`, which also examines a success, and for a value only:
    //
    //         let out = async { body }.await;
    //         let (answer, effect) = match keep_outcome(out, site, on, on_ok, report) {
    //             Ok(out) => break 'layer out,
    //             Err(effect) => (value, effect),
    //         };
    fn generate_replacement(&self, replacement: &Replacement, context: &Context) -> TokenStream {
        let Context { private, returns, returns_span, .. } = context;
        let [out, error, answer, effect, layer] =
            ["out", "error", "answer", "effect", "layer"].map(local);
        let layer = Lifetime { apostrophe: layer.span(), ident: layer };
        let run = context.run();
        let on = self.on(context);
        let here = context.private_at(*returns_span);
        let name = context.policy_name(value_of(self.keys.name.as_ref()));
        let depth = context.depth();
        let site = quote!(&const { #private::fallback_site(#name, #depth) });
        let (error, made, at) = match replacement {
            // A value does not depend on the error.
            Replacement::Value(value) => (quote!(_), quote!(#value), value.span()),
            Replacement::With(with) => {
                let at = with.span();
                let error = Ident::new(&error.to_string(), error.span().located_at(at));
                let there = context.private_at(at.resolved_at(Span::call_site()));
                let answer = match with {
                    Expr::Path(with) => quote_spanned!(at=> #with(#error)),
                    with => quote_spanned!(at=> #there::answer(#error, #with)),
                };
                (quote!(#error), answer, at)
            }
        };
        let report = self.report(context);
        let select = if let Some(on_ok) = value_of(self.keys.on_ok.as_ref()) {
            let on_ok = context.value_predicate(Some(on_ok));
            let keep = quote_spanned!(*returns_span=>
                #here::keep_outcome::<#returns, _, _>(#out, #site, #on, #on_ok, #report)
            );
            quote! {
                let (#answer, #effect) = match #keep {
                    #private::Ok(#out) => break #layer #out,
                    #private::Err(#effect) => (#made, #effect),
                };
            }
        } else {
            let is_ok = context.is_ok(&out);
            let fall_back = quote_spanned!(*returns_span=>
                #here::fall_back::<#returns, _>(#out, #site, #on, #report)
            );
            quote! {
                if #is_ok {
                    break #layer {
                        #private::count_success!(#out, #private::Site::counted(#site, #out))
                    };
                }
                let (#answer, #effect) = match #fall_back {
                    #private::Ok(#out) => break #layer #out,
                    #private::Err((#error, #effect)) => (#made, #effect),
                };
            }
        };
        let awaited = if context.is_async && replacement.may_be_future() {
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
                #private::replaced(#recovered, #effect)
            }
        }
    }

    // Output:
    //
    //     let call = {
    //         static LAST_GOOD: LastGood = …;
    //         keeping_call::<R>(&LAST_GOOD, key, limit)
    //     };
    //     let out = stale_age_async(async { body }).await;
    //     match call.end(out, site, on, on_ok, aged, report) {
    //         Ok(out) => out,
    //         Err(replaced) => replaced,
    //     }
    fn generate_stale(&self, stale: &Stale, context: &Context) -> TokenStream {
        let Context { private, returns, returns_span, .. } = context;
        let [out, call] = ["out", "call"].map(local);
        let Stale { limit, key, max_keys } = stale;
        let default = keyed_rules::MAX_KEYS;
        let max_keys =
            max_keys.as_ref().map_or_else(|| quote!(#default), ToTokens::to_token_stream);
        let limit = Duration::tokens(limit, private);
        let key = instance_key::generate(key, context);
        // A value made of the last good value of another function is as old as that value.
        let run = if context.is_async {
            let future = context.future();
            quote!(#private::stale_age_async(#future).await)
        } else {
            let closure = context.closure();
            quote!(#private::stale_age(#closure))
        };
        let on = self.on(context);
        let on_ok = context.value_predicate(value_of(self.keys.on_ok.as_ref()));
        let aged = value_of(self.keys.aged.as_ref());
        let aged = aged.map_or_else(|| quote!(#private::unaged), ToTokens::to_token_stream);
        let name = context.policy_name(value_of(self.keys.name.as_ref()));
        let depth = context.depth();
        let site = quote!(&const { #private::fallback_site(#name, #depth).stale(#limit) });
        let here = context.private_at(*returns_span);
        let report = self.report(context);
        let end = quote_spanned!(*returns_span=>
            #here::KeepingCall::end(#call, #out, #site, #on, #on_ok, #aged, #report)
        );
        let start = quote_spanned!(*returns_span=> #here::keeping_call::<#returns>);
        let clear = context.clear_signal();
        quote! {
            let #call = {
                static __RESILIENCE_LAST_GOOD: #private::LastGood = #private::LastGood::new(#max_keys);
                #start(&__RESILIENCE_LAST_GOOD, #key, #limit)
            };
            let #out = #run;
            match #end {
                ::core::result::Result::Ok(#out) => #out,
                ::core::result::Result::Err(#out) => {
                    #clear
                    #out
                }
            }
        }
    }

    /// Returns the predicate for errors. By default every error needs a fallback.
    fn on(&self, context: &Context) -> TokenStream {
        let (private, on) = (&context.private, value_of(self.keys.on.as_ref()));
        on.map_or_else(|| quote!(#private::match_all), |on| context.predicate(Some(on)))
    }

    /// Returns the function that reports a fallback: the event, then the hook.
    fn report(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let [site, failure, class, age] = ["site", "failure", "class", "age"].map(local);
        let level = value_of(self.keys.log.as_ref()).copied().unwrap_or(LogLevel::Info);
        let level = level.to_tokens(private);
        let hook = value_of(self.keys.on_fallback.as_ref());
        let hook = context.hook(hook, "fallback_hook", "no_fallback_hook");
        quote! {
            |#site, #failure, #class, #age| #private::fell_back(
                #site,
                #failure,
                #class,
                #age,
                #private::known_class!(#failure),
                #private::shown!(#failure),
                #level,
                #hook,
            )
        }
    }
}

impl Replacement {
    /// Returns whether the replacement may be a future. A value is no future, and neither is the
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

/// Reads a value. A future is the result of a function.
fn replacement(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Async(block) => Err(future(&block)),
        value => Ok(value),
    }
}

/// Returns the message for a future in place of a value or a function.
fn future(block: &ExprAsync) -> syn::Error {
    syn::Error::new_spanned(
        block,
        "a future as the replacement is the result of a function: write `with = |_| async { … }`",
    )
}

/// Reads a function of the error. A literal belongs under `value`.
fn with(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(value) => {
            let written = value.to_token_stream();
            let message = format!("`with` is a function of the error; write `value = {written}`");
            Err(syn::Error::new_spanned(value, message))
        }
        Expr::Async(block) => Err(future(&block)),
        other => value::callable("with", other),
    }
}
