//! `#[hedge]`: further attempts while the first still runs.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use resilience_rules::hedge as rules;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, Signature};

use crate::args::{Args, Value, value_of};
use crate::attrs::{LayerAttribute, Role};
use crate::budget::Budget;
use crate::builder::Builder;
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::function::is_sync;
use crate::keys::keys;
use crate::stack_info::StackInfo;
use crate::value::{self, Constant};

keys! {
    /// The keys of `#[hedge]`.
    struct Keys {
        function {
            after: constant(After, after),
            max: value(u8, max),
            warm_up: time [literal warm_up],
            idempotent: argument(Span, idempotent),
            key: value(Expr, key),
            budget: argument(Budget, Budget::read),
            on: callable,
            on_ok: callable,
            on_hedge: callable,
            clone: argument(Vec<Ident>, value::clones),
            name: policy_name,
        }
    }
}

/// The time before a hedge.
enum After {
    Delay(Constant<Duration>),
    /// A quantile of the function's own latencies, in thousandths.
    Quantile(u32),
}

/// The validated keys.
pub(crate) struct Hedge {
    after: After,
    /// Whether a key declares the function safe to repeat, rightly or wrongly.
    is_declared: bool,
    keys: Keys,
}

impl LayerAttribute for Hedge {
    const NAME: &'static str = "hedge";
    const ROLES: &'static [Role] = &[
        Role::Repeats,
        Role::RunsConcurrently,
        Role::SpendsBudget,
        Role::ActsOnFailures,
        Role::ReadsRejections,
    ];
    // `#[hedge]` borrows the arguments in any case.
    const DEFERRED_KEYS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "after = \"50ms\"";

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let mut keys = Keys::read(args, errors);
        keys.check_rules(errors);
        if keys.after.is_none() && args.lacks(&["after"]) {
            errors.on_attribute(
                "`#[hedge]` needs the time before a second attempt: `after = \"50ms\"`, or a \
                 quantile of the latencies of the function: `after = \"p95\"`",
            );
        }
        if let (Some(_), Some(key)) = (&keys.idempotent, &keys.key) {
            errors.add(
                &key.key,
                "`key` and `idempotent` exclude each other: each declares that the function is safe \
                 to repeat; remove one of them",
            );
        }
        if let Some(key) = value_of(keys.key.as_ref()).filter(|key| !args.mentions_argument(key)) {
            errors.add(
                key,
                "`key` names no argument: all attempts must send one idempotency key, which the \
                 caller passes in, like `key = request_id`",
            );
        }
        let is_declared = !args.lacks(&["idempotent", "key"]);
        let after = keys.after.take()?.value;
        if let (After::Delay(_), Some(warm_up)) = (&after, &keys.warm_up) {
            errors.add(
                &warm_up.key,
                "`warm_up` needs a quantile: a delay in `after` is never learned; remove `warm_up`, \
                 or write `after = \"p95\"`",
            );
        }
        Some(Self { after, is_declared, keys })
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.keys.name.as_ref())
    }

    // Output:
    //
    //     let budget = resolve({ static BUDGET: RetryBudget = …; &BUDGET });
    //     let spending = Spending::new(Some(budget));
    //     let slot_0 = pin!(HedgeSlot::new());
    //     let slot_1 = pin!(HedgeSlot::new());
    //     let (out, signal) = hedge(
    //         &const { Hedge::new().after(…) },
    //         None,
    //         spending,
    //         &mut [slot_0, slot_1],
    //         || async {
    //             let signal = outer_signal.of_attempt();
    //             let out = async { body }.await;
    //             (out, signal)
    //         },
    //         |out| match out.as_result() { Ok(_) => None, Err(error) => Some(error.class()) },
    //         on_hedge,
    //     )
    //     .await;
    //     outer_signal.copy(&signal);
    //     out
    //
    // The futures of the attempts are locals of the function. Each attempt has a signal of its own:
    // the rejection of an attempt that lost says nothing about the call.
    fn generate(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let [out, signal, spending] = ["out", "attempt_signal", "spending"].map(local);
        let (policy, latencies) = self.policy(context);
        let budget = value_of(self.keys.budget.as_ref()).unwrap_or(&Budget::SHARED);
        let spend = Budget::spend(Some(budget), context);
        let slots: Vec<Ident> = (0..=self.max())
            .map(|index| format_ident!("{}_{index}", local("slot"), span = Span::mixed_site()))
            .collect();
        let inner_signal = context.stack.signal.as_ref().map(|var| &var.name);
        let bind_signal = inner_signal.map(|name| quote!(let #name = &#signal;));
        let outer = context.written_signal();
        let copy = outer.map(|name| quote!(#private::RejectionSignal::copy(#name, &#signal);));
        let new = outer.map_or_else(
            || quote!(#private::RejectionSignal::new()),
            |name| quote!(#private::RejectionSignal::of_attempt(#name)),
        );
        let attempt = context.attempt(None, None);
        let attempts = quote! {
            let #signal = #new;
            let #out = {
                #bind_signal
                #attempt
            };
            (#out, #signal)
        };
        // The compiler points at the closure for an argument that the body moves.
        let at = context.attribute_span();
        let attempts = quote_spanned!(at=> || async { #attempts });
        let classify = self.classify(context);
        let hook = value_of(self.keys.on_hedge.as_ref());
        let hook = hook.map_or_else(|| quote!(#private::no_hedge_hook), ToTokens::to_token_stream);
        let declared_by = value_of(self.keys.key.as_ref())
            .map(|key| quote_spanned!(key.span()=> if false { let _ = &(#key); }));
        quote! {
            #declared_by
            #spend
            #(let #slots = #private::pin!(#private::HedgeSlot::new());)*
            let (#out, #signal) = #private::hedge(
                #policy,
                #latencies,
                #spending,
                &mut [#(#slots),*],
                #attempts,
                #classify,
                #hook,
            )
            .await;
            #copy
            #out
        }
    }

    fn check_order(&self, stack: &StackInfo, errors: &mut Errors) {
        if stack.inside(Role::RunsConcurrently).is_some() {
            errors.on_attribute(
                "two `#[hedge]` on one function multiply their attempts; remove one of them, and \
                 set `max` on the other",
            );
        }
        if let Some(breaker) = stack.outside(Role::CountsPanics) {
            let name = breaker.name;
            errors.on_attribute(format!(
                "a `#[hedge]` below `#[{name}]` hides failed and slow attempts from the breaker, and \
                 starts attempts that no breaker admits; move `#[hedge]` above `#[{name}]`"
            ));
        }
        if let Some(limit) = stack.outside(Role::LimitsConcurrency) {
            let name = limit.name;
            errors.on_attribute(format!(
                "a `#[hedge]` below `#[{name}]` runs several attempts with the permit of one call, \
                 so more calls than `max` reach the dependency; move `#[hedge]` above `#[{name}]`"
            ));
        }
        if stack.inside(Role::SharesOutcomes).is_some() {
            errors.on_attribute(
                "a `#[hedge]` above `#[coalesce]` has no effect: its second attempt would wait for \
                 the first; move `#[coalesce]` above `#[hedge]`",
            );
        }
        let is_declared = self.is_declared || stack.inside(Role::StoresOutcomes).is_some();
        if !is_declared {
            errors.on_attribute(
                "`#[hedge]` may run the body twice at once, so the function must be safe to repeat: \
                 declare it with `idempotent`, name the argument with the idempotency key of the \
                 request with `key = …`, or put `#[idempotent]` below",
            );
        }
        if let Some(limit) = stack.time_limit {
            if let After::Delay(after) = &self.after {
                if let Some(time) = after.literal().filter(|time| !time.is_zero()) {
                    errors.check(after, rules::after_within_timeout(*time, limit));
                }
            }
        }
        Budget::check_order(self.keys.budget.as_ref(), stack, errors);
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        if is_sync(function, is_async) {
            errors.add(
                function.fn_token,
                "`#[hedge]` needs an `async fn`: a sync body occupies the thread, so no second \
                 attempt could run beside it; make the function async",
            );
        }
    }

    fn clones(&self) -> &[Ident] {
        value_of(self.keys.clone.as_ref()).map_or(&[], Vec::as_slice)
    }
}

impl Hedge {
    fn max(&self) -> u8 {
        value_of(self.keys.max.as_ref()).copied().unwrap_or(rules::MAX)
    }

    /// Returns a reference to the settings, and the record of the latencies as an `Option`.
    fn policy(&self, context: &Context) -> (TokenStream, TokenStream) {
        let private = &context.private;
        let max = self.max();
        let mut builder = Builder::with("Hedge", context, |_| vec![quote!(#max)]);
        let latencies = match &self.after {
            After::Delay(after) => {
                let tokens = builder.argument(after, Some("after"));
                builder.set_at(after.source().span(), "after", Some(&tokens));
                quote!(#private::None)
            }
            After::Quantile(thousandths) => {
                builder.set("quantile", Some(&quote!(#thousandths)));
                builder.constant("warm_up", self.keys.warm_up.as_ref(), Some("warm_up"));
                quote!(#private::Some({
                    static __RESILIENCE_LATENCIES: #private::Latencies = #private::Latencies::new();
                    #private::resolve(&__RESILIENCE_LATENCIES)
                }))
            }
        };
        let name = context.policy_name(value_of(self.keys.name.as_ref()));
        let depth = context.depth();
        (builder.into_constant(&quote!(.at(#name, #depth))), latencies)
    }

    /// Returns the closure from an outcome to the class of a failure.
    fn classify(&self, context: &Context) -> TokenStream {
        let Context { returns, private, .. } = context;
        let [out, error, value] = ["out", "error", "value"].map(local);
        let at = context.returns_span;
        let there = context.private_at(at);
        let result = quote_spanned!(at=> <#returns as #there::Outcome>::as_result(#out));
        let class = match value_of(self.keys.on.as_ref()) {
            None => context.classify(&error),
            Some(on) => context.class_of(&error, on),
        };
        let success = match value_of(self.keys.on_ok.as_ref()) {
            None => quote!(#private::Ok(_) => #private::None),
            Some(on_ok) => {
                let class = context.class_of(&value, on_ok);
                quote!(#private::Ok(#value) => #private::failed_value(#class))
            }
        };
        quote! {
            |#out: &#returns| match #result {
                #success,
                #private::Err(#error) => #private::Some(#class),
            }
        }
    }
}

/// Reads `after`: a delay, or a quantile such as `"p95"`.
fn after(expr: Expr) -> syn::Result<After> {
    let written = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        Expr::Lit(ExprLit { lit, .. }) => value::plain(lit),
        // A constant has a name in capitals.
        Expr::Path(path) => {
            let word = path.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if let Some(quantile) = word.strip_prefix('p').and_then(quantile) {
                let message = format!("a quantile needs quotes: write `after = \"{quantile}\"`");
                return Err(syn::Error::new_spanned(expr, message));
            }
            String::new()
        }
        _ => String::new(),
    };
    let error = |message: &dyn std::fmt::Display| Err(syn::Error::new_spanned(&expr, message));
    if let Some(number) = written.strip_prefix(['p', 'P']) {
        match thousandths(number).map(|number| (number, rules::quantile(number))) {
            Some((thousandths, Ok(()))) => return Ok(After::Quantile(thousandths)),
            Some((_, Err(message))) => return error(&message),
            None => {}
        }
    }
    if let Some(quantile) = quantile_in_words(&written) {
        let form = "a quantile is a percentage behind `p`";
        return error(&format!("{form}: write `after = \"{quantile}\"`"));
    }
    // The duration of ISO 8601, `PT5S`, has a fix of its own.
    if written.starts_with(['p', 'P']) && !written.starts_with("PT") {
        return error(&format!(
            "`{written}` is not a quantile; write a percentage with at most one decimal, like \
             `after = \"p95\"` or `after = \"p99.9\"`"
        ));
    }
    let delay =
        value::duration("after", expr.clone()).map_err(|mistake| match quantile(&written) {
            Some(quantile) => syn::Error::new_spanned(
                &expr,
                format!("{mistake}; for a quantile write `after = \"{quantile}\"`"),
            ),
            None => mistake,
        })?;
    match delay.literal().map(|delay| rules::after(*delay)) {
        Some(Err(broken)) => error(&broken),
        _ => Ok(After::Delay(delay)),
    }
}

/// Returns the quantile that other forms mean: `95%`, `p95%`, `95th percentile`, `median`, `0.95`.
fn quantile_in_words(written: &str) -> Option<String> {
    let written = written.to_lowercase().replace(',', ".");
    let words = written.trim_end_matches("percentile").trim();
    let number = words.trim_start_matches('p');
    let share = number.parse::<f64>().ok().filter(|share| *share < 1.0);
    match (words, share, number.strip_suffix('%').or_else(|| number.strip_suffix("th"))) {
        ("median", ..) => quantile("50"),
        (_, Some(share), _) => quantile(&format!("{:.1}", share * 100.0)),
        (.., Some(percentage)) => quantile(percentage.trim()),
        (.., None) if number != written => quantile(number),
        _ => None,
    }
}

/// Returns a percentage as a quantile, if the rule of quantiles holds.
fn quantile(percentage: &str) -> Option<String> {
    let thousandths = thousandths(percentage)?;
    let percentage = percentage.strip_suffix(".0").unwrap_or(percentage);
    rules::quantile(thousandths).is_ok().then(|| format!("p{percentage}"))
}

/// Reads a percentage with at most one decimal, in thousandths.
fn thousandths(percentage: &str) -> Option<u32> {
    let (whole, tenth) = percentage.split_once('.').unwrap_or((percentage, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(tenth) || tenth.len() != 1 {
        return None;
    }
    whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)
}

/// Reads the number of hedges, a number in the source: the future has room for each attempt.
fn max(expr: Expr) -> syn::Result<u8> {
    let count = value::count("max", expr)?;
    let Some(number) = count.literal() else {
        return Err(syn::Error::new_spanned(
            count,
            "`max` must be a number, like `max = 2`: the future of the function has room for each \
             attempt",
        ));
    };
    match rules::max_hedges(*number) {
        Ok(()) => Ok(u8::try_from(*number).unwrap_or(u8::MAX)),
        Err(broken) => Err(syn::Error::new_spanned(count, broken)),
    }
}

/// Reads `idempotent`, alone or with `true`.
fn idempotent(key: &Ident, value: Value) -> syn::Result<Span> {
    if value::switch(key, value)? {
        Ok(key.span())
    } else {
        Err(syn::Error::new_spanned(
            key,
            "a function that is not safe to repeat cannot be hedged: both attempts may apply the \
             side effect; remove `#[hedge]`",
        ))
    }
}

/// Reads the argument with the idempotency key.
fn key(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(literal) => Err(syn::Error::new_spanned(
            literal,
            "`key` is the argument with the idempotency key of the request, like `key = request_id`",
        )),
        other => Ok(other),
    }
}
