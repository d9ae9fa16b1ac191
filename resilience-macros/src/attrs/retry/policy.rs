//! The policy of `#[retry]` in generated code: a constant built from the keys, or a policy made by
//! hand.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::keys::{Attempts, Backoff, Growth, Jitter, JitterKind, Keys};
use crate::args::{Args, value_of};
use crate::attrs::Role;
use crate::budget::Budget;
use crate::builder::{Builder, may_be_generic};
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::log_level::LogLevel;
use crate::state_source::exclude_settings;
use crate::value::{self, ConstantType};

/// The source of the policy.
pub(super) enum Policy {
    /// `policy = expr`
    Provided(Expr),
    /// The keys of the attribute.
    Keys,
}

impl Policy {
    /// Reads `policy`, and reports wrong keys and keys in conflict with `policy`.
    pub(super) fn validate(keys: &Keys, args: &mut Args, errors: &mut Errors) -> Self {
        let policy = args.value("policy", errors, |expr| {
            value::policy(expr, || {
                "expected a `RetryPolicy`, like `policy = &RETRY` or `policy = self.retry`".into()
            })
        });
        if let Some(policy) = policy {
            exclude_settings("policy", &keys.settings(), errors);
            return Self::Provided(policy.value);
        }
        keys.check(errors);
        Self::Keys
    }

    pub(super) fn generate(&self, keys: &Keys, context: &Context) -> Plan {
        let private = &context.private;
        let waits = if context.is_async { quote!(Async) } else { quote!(Blocking) };
        let path = context.policy_name(None);
        let function = context.policy_name(value_of(keys.name.as_ref()));
        let named = value_of(keys.name.as_ref()).map(|name: &Expr| quote!(.name(#name)));
        let levels = keys.levels(context.stack.outside(Role::ReplacesFailures).is_some());
        let levels = (levels != (LogLevel::Warn, LogLevel::Error)).then(|| {
            let [retry, give_up] = [levels.0, levels.1].map(|level| level.to_tokens(private));
            quote!(.levels(#retry, #give_up))
        });
        let depth = context.depth();
        let location = quote!(#named.at(#path, #private::WaitMode::#waits).depth(#depth) #levels);
        match self {
            Self::Provided(policy) => {
                let [name, spending, setter] = ["policy", "spending", "setter"].map(local);
                let at = Span::mixed_site().located_at(policy.span());
                let bound = if context.is_exclusive(policy) {
                    // The body borrows the owner of the policy, so the call holds a clone.
                    let place = value::place(policy);
                    quote_spanned!(at=> &::core::clone::Clone::clone(&#place))
                } else {
                    quote_spanned!(at=> &#policy)
                };
                let here = context.private_at(at);
                let bind = quote_spanned!(at=> let #name: &#here::RetryPolicy<_> = #bound;);
                Plan {
                    setup: quote! {
                        #bind
                        let #spending = #private::RetryState::spending(#name);
                        let #setter = #private::RetryPolicy::setter(#name, #function);
                    },
                    begin: quote!(#private::RetryState::begin(#name)),
                    has_initial_delay: true,
                    constant: quote!(#name),
                    named: quote!(&#private::RetryPolicy::borrowed(#name) #location),
                    policy: quote!(&#private::RetryPolicy::borrowed(#name) #location),
                    setter: setter.to_token_stream(),
                    scoped: "named_attempt",
                    sets_context: true,
                    spends: true,
                    on_failure: TokenStream::new(),
                }
            }
            Self::Keys => keys.generate(context, &location),
        }
    }
}

/// The parts of the loop derived from the policy.
pub(super) struct Plan {
    /// The statements before the loop.
    pub(super) setup: TokenStream,
    /// The initial state.
    pub(super) begin: TokenStream,
    /// Whether a delay may precede the first attempt.
    pub(super) has_initial_delay: bool,
    /// A reference to the constant part of the policy.
    pub(super) constant: TokenStream,
    /// A reference to the policy with its name and levels, also before a failure.
    pub(super) named: TokenStream,
    /// A reference to the policy.
    pub(super) policy: TokenStream,
    /// The setter of the context of an attempt.
    pub(super) setter: TokenStream,
    /// The name of the function that returns an attempt with the setter.
    pub(super) scoped: &'static str,
    /// Whether the policy may have a deadline, or be the only one that repeats a call.
    pub(super) sets_context: bool,
    /// Whether there may be a budget, in the local `spending`.
    pub(super) spends: bool,
    /// The statements after a failure, before the next use of the policy.
    pub(super) on_failure: TokenStream,
}

impl Keys {
    fn generate(&self, context: &Context, location: &TokenStream) -> Plan {
        let private = &context.private;
        let mut builder = Builder::new("RetryPolicy", context);
        match value_of(self.attempts.as_ref()) {
            Some(Attempts::Unlimited) => builder.set("unlimited", None),
            Some(Attempts::Count(count)) => {
                let tokens = builder.argument(count, Some("attempts"));
                builder.set_at(count.source().span(), "attempts", Some(&tokens));
            }
            None => {}
        }
        let mut setup = TokenStream::new();
        let mut adjusted = TokenStream::new();
        let mut on_failure = TokenStream::new();
        match value_of(self.backoff.as_ref()) {
            Some(Backoff::Growth(growth)) => builder.set(growth.method(), None),
            Some(Backoff::List(delays)) => {
                let delays: Vec<_> =
                    delays.iter().map(|delay| builder.argument(delay, None)).collect();
                let delays = quote!(&[#(#delays),*]);
                // An item extends the borrowed list to `'static`; an inline constant does not.
                builder.unchecked = true;
                builder.set("list", Some(&delays));
            }
            Some(Backoff::Custom(backoff)) => {
                let name = local("backoff");
                let bound = value::borrowed_place(backoff);
                let bound = quote!(let #name = #bound;);
                match backoff {
                    // The closure may borrow an argument that the body borrows exclusively.
                    Expr::Closure(closure) if closure.capture.is_none() => on_failure.extend(bound),
                    _ => setup.extend(bound),
                }
                // The span of the expression makes the compiler underline a type without a
                // `Backoff` impl there.
                let at = Span::mixed_site().located_at(backoff.span());
                let mut there = name.clone();
                there.set_span(at);
                let borrowed = if let Expr::Closure(_) = backoff {
                    let borrowed = quote_spanned!(at=> &#there);
                    quote!(#private::BorrowedBackoff(#borrowed))
                } else {
                    // Method resolution follows pointers to the backoff.
                    let borrowed = quote_spanned!(at=> #there.resilience_backoff());
                    quote!({
                        #[allow(unused_imports)]
                        use #private::BorrowBackoff as _;
                        #borrowed
                    })
                };
                adjusted.extend(quote!(.backoff(#borrowed)));
            }
            None => {}
        }
        self.set_constants(&mut builder);
        if let Some(jitter) = value_of(self.jitter.as_ref()) {
            let jitter = jitter.generate(&mut builder);
            builder.set("jitter", Some(&jitter));
        }
        self.require_times(&mut builder);
        match value_of(self.idempotent.as_ref()) {
            Some(Expr::Lit(flag)) => builder.set("idempotent", Some(&flag.to_token_stream())),
            Some(condition) => adjusted.extend(quote!(.idempotent(#condition))),
            None => {}
        }
        if let Some(wait) = value_of(self.on_rejection.as_ref()) {
            builder.set("wait_for_rejections", Some(&quote!(#wait)));
        }
        let outer_only = value_of(self.nested.as_ref()).copied().unwrap_or_default();
        if outer_only {
            builder.set("nested", Some(&quote!(#private::Nested::OuterOnly)));
        }
        let function = context.policy_name(value_of(self.name.as_ref()));
        let setter = quote!(&const { #private::Setter::new(#function, #outer_only) });
        let spend = Budget::spend(value_of(self.budget.as_ref()), context);
        let spends = spend.is_some();
        setup.extend(spend);
        // For the registry: the spending of the call has the budget already.
        if let Some(budget) = Budget::of_process(value_of(self.budget.as_ref()), context) {
            adjusted.extend(quote!(.budget(#budget)));
        }
        let constant = builder.into_constant(location);
        let policy =
            if adjusted.is_empty() { constant.clone() } else { quote!(&(*#constant) #adjusted) };
        let begin = if self.deadline.is_some() { quote!(timed) } else { quote!(new) };
        Plan {
            setup,
            begin: quote!(#private::RetryState::#begin()),
            has_initial_delay: self.initial_delay.is_some(),
            named: constant.clone(),
            constant,
            policy,
            setter,
            scoped: "scoped_attempt",
            sets_context: outer_only || self.deadline.is_some(),
            spends,
            on_failure,
        }
    }
}

impl Keys {
    /// Adds the checks between two times.
    fn require_times(&self, builder: &mut Builder<'_>) {
        let context = builder.context;
        let private = &context.private;
        let base = value_of(self.base_delay.as_ref());
        builder.require("base_within_max", base, value_of(self.max_delay.as_ref()));
        if let (Some(base), Some(max), Some(jitter)) =
            (base, value_of(self.max_delay.as_ref()), value_of(self.jitter.as_ref()))
        {
            if jitter.width(Duration::ZERO).is_some() {
                let jitter = jitter.generate(builder);
                let base_time = Duration::tokens(base, private);
                let max_time = Duration::tokens(max, private);
                builder.require_values(
                    "jitter_within_max",
                    base,
                    max,
                    &[quote!(#base_time, #jitter), max_time],
                );
            }
        }
        let deadline = value_of(self.deadline.as_ref());
        builder.require("base_within_deadline", base, deadline);
        let initial = value_of(self.initial_delay.as_ref());
        builder.require("initial_within_deadline", initial, deadline);
        if let Some(limit) = context.stack.time_limit {
            self.require_timeout(limit, builder);
        }
    }

    /// Adds the checks of constants against the time limit of a layer above.
    fn require_timeout(&self, limit: Duration, builder: &mut Builder<'_>) {
        let private = &builder.context.private;
        let limit = value::duration_tokens(limit, Span::call_site(), private);
        let exact = value_of(self.base_delay.as_ref()).filter(|_| self.starts_with_base_delay());
        let waits = [
            ("initial_within_timeout", value_of(self.initial_delay.as_ref())),
            ("delay_within_timeout", exact),
        ];
        for (rule, wait) in waits {
            if let Some(wait) = wait {
                let values = [Duration::tokens(wait, private), limit.clone()];
                builder.require_values(rule, wait, wait, &values);
            }
        }
    }
}

impl Growth {
    /// Returns the name of the policy's method.
    fn method(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Fixed => "fixed",
            Self::Linear => "linear",
            Self::Fibonacci => "fibonacci",
        }
    }
}

impl Jitter {
    fn generate(&self, builder: &mut Builder<'_>) -> TokenStream {
        let private = &builder.context.private;
        match self {
            Self::Kind(kind) => {
                let variant = match kind {
                    JitterKind::Full => quote!(Full),
                    JitterKind::Equal => quote!(Equal),
                    JitterKind::Decorrelated => quote!(Decorrelated),
                    JitterKind::None => quote!(None),
                };
                quote!(#private::Jitter::#variant)
            }
            Self::Ratio(ratio) => quote!(#private::Jitter::Ratio(#ratio)),
            Self::UpTo(width) => {
                let width = value::duration_tokens(*width, Span::call_site(), private);
                quote!(#private::Jitter::UpTo(#width))
            }
            Self::Expr(expr) => {
                builder.unchecked = true;
                builder.generic |= may_be_generic(expr, &builder.context.generics);
                builder.check("jitter", expr.span(), &expr.to_token_stream())
            }
        }
    }
}
