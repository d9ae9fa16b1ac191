//! The attributes of `resilience-rs`. Their documentation stands where they are re-exported, in
//! that crate.

// A macro that panics takes the function, and the user's understanding, with it.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)]

mod args;
mod async_trait;
mod attrs;
mod borrow;
mod builder;
mod check;
mod classify;
mod constant;
mod diagnostics;
mod foreign;
mod function;
mod hint;
mod instrument;
mod mark;
mod order;
mod pipeline;
#[cfg(test)]
mod robustness;
mod splice;
mod state_source;
mod tokens;
mod value;

use proc_macro::TokenStream;

/// Makes the entry point of each attribute and the table that the pipeline orders them by.
macro_rules! attributes {
    ($($name:ident: $model:ty),* $(,)?) => {
        const TABLE: &[order::Entry] = &[$(order::Entry::of::<$model>()),*];

        /// What each attribute of the table does.
        #[cfg(test)]
        const RUNS: &[robustness::Run] = &[$(pipeline::run::<$model>),*];

        $(
            #[allow(missing_docs, reason = "documented where it is re-exported, in the facade")]
            #[proc_macro_attribute]
            pub fn $name(args: TokenStream, item: TokenStream) -> TokenStream {
                pipeline::run::<$model>(TABLE, args.into(), &item.into()).into()
            }
        )*
    };
}

attributes! {
    bulkhead: attrs::bulkhead::Bulkhead,
    circuit_breaker: attrs::circuit_breaker::CircuitBreaker,
    fallback: attrs::fallback::Fallback,
    idempotent: attrs::idempotent::Idempotent,
    rate_limit: attrs::rate_limit::RateLimit,
    retry: attrs::retry::Retry,
    timeout: attrs::timeout::Timeout,
}

#[allow(missing_docs, reason = "documented where it is re-exported, in the facade")]
#[proc_macro_derive(Classify, attributes(transient, throttled, permanent, forward, classify))]
pub fn classify(input: TokenStream) -> TokenStream {
    classify::derive(input.into()).into()
}
