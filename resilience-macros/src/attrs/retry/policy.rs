//! The keys that make up the policy: numbers, times, backoff and jitter.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit};

use crate::args::{Args, Keyed, Value};
use crate::constant::{self, may_be_generic};
use crate::diagnostics::Errors;
use crate::splice::{Site, local};
use crate::value::{self, Constant};

/// Where the policy comes from.
pub(super) enum Policy {
    /// `policy = expr`
    Given(Expr),
    /// The keys of the attribute.
    Built(Box<Keys>),
}

/// The keys, as far as they are given.
#[derive(Default)]
pub(super) struct Keys {
    attempts: Option<Keyed<Attempts>>,
    backoff: Option<Keyed<Backoff>>,
    base_delay: Option<Keyed<Constant<Duration>>>,
    max_delay: Option<Keyed<Constant<Duration>>>,
    factor: Option<Keyed<Constant<f64>>>,
    jitter: Option<Keyed<Jitter>>,
    deadline: Option<Keyed<Constant<Duration>>>,
    idempotent: Option<Keyed<Expr>>,
    max_retry_after: Option<Keyed<Constant<Duration>>>,
}

enum Attempts {
    Unlimited,
    Count(Constant<u32>),
}

enum Backoff {
    /// A built-in growth, by the name of its method.
    Named(&'static str),
    List(Vec<Constant<Duration>>),
    Custom(Expr),
}

enum Jitter {
    /// A kind without a value, by the name of its variant.
    Named(&'static str),
    Ratio(f64),
    UpTo(Duration),
    Expr(Expr),
}

/// What a base delay is where none is given.
const DEFAULT_BASE: Duration = Duration::from_millis(100);

/// The growths by name: as written, and the method of the policy.
const GROWTHS: &[(&str, &str)] = &[
    ("exponential", "exponential"),
    ("fixed", "fixed"),
    ("linear", "linear"),
    ("fibonacci", "fibonacci"),
];

/// The jitters by name: as written, and the variant.
const JITTERS: &[(&str, &str)] =
    &[("full", "Full"), ("equal", "Equal"), ("decorrelated", "Decorrelated"), ("none", "None")];

impl Policy {
    pub(super) fn validate(args: &mut Args, errors: &mut Errors) -> Self {
        let keys = Keys {
            attempts: args.constant("attempts", errors, attempts),
            backoff: args.value("backoff", errors, backoff),
            base_delay: duration(args, errors, "base_delay"),
            max_delay: duration(args, errors, "max_delay"),
            factor: args.constant("factor", errors, |expr| value::number("factor", expr)),
            jitter: jitter(args, errors),
            deadline: duration(args, errors, "deadline"),
            idempotent: args.value("idempotent", errors, |expr| value::flag("idempotent", expr)),
            max_retry_after: duration(args, errors, "max_retry_after"),
        };
        let Some(policy) = args.value("policy", errors, Ok) else {
            keys.check(errors);
            return Self::Built(Box::new(keys));
        };
        for key in keys.given() {
            errors.add(
                key,
                format!(
                    "`{key}` and `policy` exclude each other: say it on the policy, `.{key}(…)`"
                ),
            );
        }
        Self::Given(policy.value)
    }

    /// The statements before the loop, the state at its start, and a reference to the policy.
    pub(super) fn generate(&self, site: &Site) -> (TokenStream, TokenStream, TokenStream) {
        let private = &site.private;
        match self {
            Self::Given(policy) => {
                let name = local("policy");
                (
                    quote!(let #name = &#policy;),
                    quote!(#private::RetryState::begin(#name)),
                    quote!(#name),
                )
            }
            Self::Built(keys) => keys.generate(site),
        }
    }
}

impl Keys {
    fn given(&self) -> Vec<&Ident> {
        fn key<T>(keyed: Option<&Keyed<T>>) -> Option<&Ident> {
            keyed.map(|keyed| &keyed.key)
        }
        let keys = [
            key(self.attempts.as_ref()),
            key(self.backoff.as_ref()),
            key(self.base_delay.as_ref()),
            key(self.max_delay.as_ref()),
            key(self.factor.as_ref()),
            key(self.jitter.as_ref()),
            key(self.deadline.as_ref()),
            key(self.idempotent.as_ref()),
            key(self.max_retry_after.as_ref()),
        ];
        keys.into_iter().flatten().collect()
    }

    /// The rules for literals, in the words of the runtime's `rules`, and the keys that exclude
    /// each other.
    fn check(&self, errors: &mut Errors) {
        self.check_conflicts(errors);
        if let Some(Keyed { value: Attempts::Count(count), .. }) = &self.attempts {
            if count.literal() == Some(&0) {
                errors.add(count, "`attempts` counts the first call, so it must be at least 1");
            }
        }
        if let Some(Keyed { value: factor, .. }) = &self.factor {
            if factor.literal().is_some_and(|factor| !(*factor >= 1.0 && factor.is_finite())) {
                errors.add(
                    factor,
                    "`factor` must be a finite number of at least 1: delays do not shrink",
                );
            }
        }
        let base = self.base_delay.as_ref().map(|keyed| &keyed.value);
        let literal = |key: &Option<Keyed<Constant<Duration>>>| {
            key.as_ref().and_then(|keyed| keyed.value.literal().copied())
        };
        if let (Some(base), Some(max)) = (base, literal(&self.max_delay)) {
            if base.literal().is_some_and(|base| *base > max) {
                errors.add(
                    base,
                    "`base_delay` is longer than `max_delay`, so no delay would ever grow",
                );
            }
        }
        if let (Some(keyed), Some(deadline)) = (&self.deadline, literal(&self.deadline)) {
            let first = base.map_or(Some(DEFAULT_BASE), |base| base.literal().copied());
            if deadline.is_zero() {
                errors.add(&keyed.value, "`deadline` is zero, so no attempt could start");
            } else if self.is_scheduled() && first.is_some_and(|first| first >= deadline) {
                errors.add(
                    &keyed.value,
                    "the first wait, `base_delay`, does not fit into `deadline`, so nothing would \
                     be retried",
                );
            }
        }
    }

    /// Whether the delays start from `base_delay`.
    fn is_scheduled(&self) -> bool {
        !matches!(self.backoff, Some(Keyed { value: Backoff::List(_) | Backoff::Custom(_), .. }))
    }

    fn check_conflicts(&self, errors: &mut Errors) {
        if !self.is_scheduled() {
            let unused = [
                self.base_delay.as_ref().map(|keyed| &keyed.key),
                self.factor.as_ref().map(|keyed| &keyed.key),
            ];
            for key in unused.into_iter().flatten() {
                errors.add(
                    key,
                    format!(
                        "`{key}` and this `backoff` exclude each other: its delays are its own"
                    ),
                );
            }
        } else if let (Some(factor), Some(Keyed { value: Backoff::Named(name), .. })) =
            (&self.factor, &self.backoff)
        {
            if *name != "exponential" {
                errors.add(
                    &factor.key,
                    format!("`factor` and `backoff = \"{name}\"` exclude each other: only exponential delays have a factor"),
                );
            }
        }
        if let Some(Keyed { value: Jitter::Named("Decorrelated"), .. }) = &self.jitter {
            let backoff = self
                .backoff
                .as_ref()
                .filter(|keyed| !matches!(keyed.value, Backoff::Named("exponential")));
            let factor = self.factor.as_ref().map(|keyed| &keyed.key);
            for key in [backoff.map(|keyed| &keyed.key), factor].into_iter().flatten() {
                errors.add(
                    key,
                    format!(
                        "`{key}` and `jitter = \"decorrelated\"` exclude each other: decorrelated \
                         delays grow by themselves, from `base_delay` to `max_delay`"
                    ),
                );
            }
        }
    }

    fn generate(&self, site: &Site) -> (TokenStream, TokenStream, TokenStream) {
        let private = &site.private;
        let mut builder = Builder::new(site);
        match &self.attempts {
            Some(Keyed { value: Attempts::Unlimited, .. }) => builder.set("unlimited", None),
            Some(Keyed { value: Attempts::Count(count), .. }) => {
                builder.checked("attempts", count, &count.to_token_stream());
            }
            None => {}
        }
        let mut setup = TokenStream::new();
        let mut adjusted = TokenStream::new();
        match self.backoff.as_ref().map(|keyed| &keyed.value) {
            Some(Backoff::Named(growth)) => builder.set(growth, None),
            Some(Backoff::List(delays)) => {
                builder.generic |= delays.iter().any(|delay| builder.is_generic(delay));
                let delays = delays.iter().map(|delay| builder.time(delay));
                let delays = quote!(&[#(#delays),*]);
                builder.set("list", Some(&delays));
            }
            Some(Backoff::Custom(backoff)) => {
                let name = local("backoff");
                setup.extend(quote!(let #name = #backoff;));
                adjusted.extend(quote!(.backoff(#private::Lent(&#name))));
            }
            None => {}
        }
        if let Some(Keyed { value: factor, .. }) = &self.factor {
            let tokens = match factor {
                Constant::Literal(factor, at) => quote_spanned!(at.span()=> #factor),
                other => other.to_token_stream(),
            };
            builder.checked("factor", factor, &tokens);
        }
        for (key, delay) in [
            ("base_delay", &self.base_delay),
            ("max_delay", &self.max_delay),
            ("max_retry_after", &self.max_retry_after),
        ] {
            if let Some(Keyed { value: delay, .. }) = delay {
                let time = builder.time(delay);
                builder.generic |= builder.is_generic(delay);
                builder.set_at(delay.source().span(), key, Some(&time));
            }
        }
        if let Some(Keyed { value: jitter, .. }) = &self.jitter {
            let jitter = jitter.generate(&mut builder);
            builder.set("jitter", Some(&jitter));
        }
        if let Some(Keyed { value: deadline, .. }) = &self.deadline {
            let time = builder.time(deadline);
            builder.checked("deadline", deadline, &time);
        }
        self.check_constants(&mut builder);
        match self.idempotent.as_ref().map(|keyed| &keyed.value) {
            Some(Expr::Lit(flag)) => builder.set("idempotent", Some(&flag.to_token_stream())),
            Some(condition) => adjusted.extend(quote!(.idempotent(#condition))),
            None => {}
        }
        let policy = builder.finish();
        let policy = if adjusted.is_empty() { policy } else { quote!(&(*#policy) #adjusted) };
        let begin = if self.deadline.is_some() { quote!(timed) } else { quote!(new) };
        (setup, quote!(#private::RetryState::#begin()), policy)
    }

    /// The rules between two keys of which one at least is no literal.
    fn check_constants(&self, builder: &mut Builder<'_>) {
        for (rule, second) in
            [("base_within_max", &self.max_delay), ("base_within_deadline", &self.deadline)]
        {
            let (Some(base), Some(second)) = (&self.base_delay, second) else { continue };
            let (base, second) = (&base.value, &second.value);
            if base.literal().is_none() || second.literal().is_none() {
                let (first_time, second_time) = (builder.time(base), builder.time(second));
                builder.require(rule, base, second, &quote!(#first_time, #second_time));
            }
        }
    }
}

/// Builds the policy as nested calls, each spanned at its value, so that a broken rule is reported
/// there.
struct Builder<'s> {
    site: &'s Site,
    policy: TokenStream,
    checks: TokenStream,
    generic: bool,
}

impl<'s> Builder<'s> {
    fn new(site: &'s Site) -> Self {
        let private = &site.private;
        let policy = quote!(#private::RetryPolicy::new());
        Self { site, policy, checks: TokenStream::new(), generic: false }
    }

    fn set(&mut self, method: &str, value: Option<&TokenStream>) {
        self.set_at(Span::call_site(), method, value);
    }

    fn set_at(&mut self, at: Span, method: &str, value: Option<&TokenStream>) {
        let at = at.resolved_at(Span::call_site());
        let (private, policy) = (self.site.private_at(at), &self.policy);
        let method = Ident::new(method, at);
        let value = value.map(|value| quote!(, #value));
        self.policy = quote_spanned!(at=> #private::RetryPolicy::#method(#policy #value));
    }

    /// A value that has a rule of its own, under the key's name. Literals have been checked.
    fn checked<T>(&mut self, key: &str, value: &Constant<T>, tokens: &TokenStream) {
        let at = value.source().span();
        let tokens = match value {
            Constant::Literal(..) => tokens.clone(),
            Constant::Expr(_) | Constant::Braced(_) => self.check(key, at, tokens),
        };
        self.generic |= self.is_generic(value);
        self.set_at(at, key, Some(&tokens));
    }

    fn check(&self, rule: &str, at: Span, value: &TokenStream) -> TokenStream {
        let at = at.resolved_at(Span::call_site());
        let private = self.site.private_at(at);
        let rule = Ident::new(rule, at);
        quote_spanned!(at=> #private::check::#rule(#value))
    }

    /// A rule between two values, of which one at least is no literal.
    fn require<T>(
        &mut self,
        rule: &str,
        first: &Constant<T>,
        second: &Constant<T>,
        values: &TokenStream,
    ) {
        let call = self.check(rule, first.source().span(), values);
        let generic = self.is_generic(first) || self.is_generic(second);
        self.checks.extend(constant::check(&call, generic));
    }

    fn is_generic<T>(&self, value: &Constant<T>) -> bool {
        match value {
            Constant::Literal(..) => false,
            Constant::Expr(expr) => may_be_generic(expr, &self.site.generics),
            Constant::Braced(_) => true,
        }
    }

    fn time(&self, value: &Constant<Duration>) -> TokenStream {
        match value {
            Constant::Literal(time, at) => value::duration_tokens(*time, at, &self.site.private),
            Constant::Expr(expr) | Constant::Braced(expr) => expr.to_token_stream(),
        }
    }

    /// A reference to the policy.
    fn finish(self) -> TokenStream {
        let Self { site: Site { private, .. }, policy, checks, generic } = self;
        let policy = constant::reference(&quote!(#private::RetryPolicy), &policy, generic);
        if checks.is_empty() { policy } else { quote!({ #checks #policy }) }
    }
}

impl Jitter {
    fn generate(&self, builder: &mut Builder<'_>) -> TokenStream {
        let private = &builder.site.private;
        match self {
            Self::Named(variant) => {
                let variant = Ident::new(variant, Span::call_site());
                quote!(#private::Jitter::#variant)
            }
            Self::Ratio(ratio) => quote!(#private::Jitter::Ratio(#ratio)),
            Self::UpTo(width) => {
                let (seconds, nanos) = (width.as_secs(), width.subsec_nanos());
                quote!(#private::Jitter::UpTo(#private::Duration::new(#seconds, #nanos)))
            }
            Self::Expr(expr) => {
                builder.generic |= may_be_generic(expr, &builder.site.generics);
                builder.check("jitter", expr.span(), &expr.to_token_stream())
            }
        }
    }
}

fn duration(
    args: &mut Args,
    errors: &mut Errors,
    key: &'static str,
) -> Option<Keyed<Constant<Duration>>> {
    args.constant(key, errors, |expr| value::duration(key, expr))
}

fn attempts(expr: Expr) -> syn::Result<Attempts> {
    match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "unlimited" => {
            Ok(Attempts::Unlimited)
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let message = match text.value().parse::<u32>() {
                Ok(count) => format!("a number without quotes: `attempts = {count}`"),
                Err(_) => "expected a whole number, like `attempts = 4`, or `\"unlimited\"`".into(),
            };
            Err(syn::Error::new_spanned(text, message))
        }
        _ => value::count("attempts", expr).map(Attempts::Count),
    }
}

fn backoff(expr: Expr) -> syn::Result<Backoff> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            named("backoff", &text, GROWTHS).map(Backoff::Named)
        }
        Expr::Lit(other) => Err(syn::Error::new_spanned(
            other,
            "expected `\"exponential\"`, `\"fixed\"`, `\"linear\"`, `\"fibonacci\"`, a list like \
             `[\"100ms\", \"1s\"]`, or an expression that is a `Backoff`",
        )),
        Expr::Array(list) if list.elems.is_empty() => {
            Err(syn::Error::new_spanned(list, "a list of delays needs at least one"))
        }
        Expr::Array(list) => {
            let delays = list.elems.into_iter().map(|delay| value::duration("backoff", delay));
            delays.collect::<syn::Result<_>>().map(Backoff::List)
        }
        custom => Ok(Backoff::Custom(custom)),
    }
}

fn jitter(args: &mut Args, errors: &mut Errors) -> Option<Keyed<Jitter>> {
    let arg = args.take("jitter")?;
    let value = match arg.value {
        Value::Bare => Ok(Jitter::Named("Full")),
        Value::Expr(expr) => jitter_value(expr),
        Value::Names(_) => Err(syn::Error::new_spanned(
            &arg.key,
            "`jitter` takes no parentheses: `jitter`, `jitter = \"equal\"`, `jitter = 0.5`",
        )),
    };
    errors.keep(value).map(|value| Keyed { key: arg.key, value })
}

fn jitter_value(expr: Expr) -> syn::Result<Jitter> {
    let Expr::Lit(ExprLit { lit, .. }) = &expr else { return Ok(Jitter::Expr(expr)) };
    match lit {
        Lit::Bool(flag) => {
            let instead = if flag.value { "`jitter` alone" } else { "`jitter = \"none\"`" };
            Err(syn::Error::new_spanned(flag, format!("jitter is no switch: write {instead}")))
        }
        Lit::Str(text) if text.value().starts_with(|first: char| first.is_ascii_digit()) => {
            value::duration_text(text).map(Jitter::UpTo)
        }
        Lit::Str(text) => named("jitter", text, JITTERS).map(Jitter::Named),
        Lit::Int(_) | Lit::Float(_) => match value::decimal(lit) {
            Some(ratio) if (0.0..=1.0).contains(&ratio) => Ok(Jitter::Ratio(ratio)),
            _ => {
                let written = lit.to_token_stream();
                Err(syn::Error::new_spanned(
                    lit,
                    format!(
                        "a jitter ratio must be between 0 and 1; for a time write \
                         `\"{written}ms\"` or `\"{written}s\"`"
                    ),
                ))
            }
        },
        other => Err(syn::Error::new_spanned(
            other,
            "expected a kind, a ratio or a time: `jitter = \"equal\"`, `jitter = 0.5`, \
             `jitter = \"1s\"`",
        )),
    }
}

/// One of a few names in quotes.
fn named(
    key: &str,
    text: &syn::LitStr,
    names: &[(&'static str, &'static str)],
) -> syn::Result<&'static str> {
    let written = text.value();
    if let Some((_, found)) = names.iter().find(|(name, _)| *name == written) {
        return Ok(found);
    }
    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let hint = match crate::args::nearest(&written.to_lowercase(), &known) {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        None => format!("there are `\"{}\"`", known.join("\"`, `\"")),
    };
    Err(syn::Error::new_spanned(text, format!("unknown {key} `\"{written}\"`; {hint}")))
}
