//! The attributes of `resilience-rs`, documented there.

// A panic in a macro loses the function and explains nothing to the user.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)]

mod args;
mod async_trait;
mod attrs;
mod budget;
mod builder;
mod captures;
mod check;
mod classify;
mod codegen;
mod diagnostics;
mod error_type;
mod function;
mod instance_key;
mod keys;
mod limit;
mod log_level;
mod manifest;
mod order;
mod pipeline;
mod returned_borrow;
#[cfg(test)]
mod robustness;
mod stack_info;
mod state_source;
mod third_party;
mod tokens;
mod toml;
mod tracing_instrument;
mod value;

use proc_macro::TokenStream;

/// Makes the entry point of each attribute, and the table of all attributes.
macro_rules! attributes {
    ($($name:ident: $model:ty),* $(,)?) => {
        const TABLE: &[order::Sibling] = &[$(order::Sibling::of::<$model>()),*];

        /// The expansion of each attribute in the table.
        #[cfg(test)]
        const RUNS: &[robustness::Run] = &[$(pipeline::run::<$model>),*];

        $(
            #[allow(missing_docs, reason = "documented in the facade, which re-exports it")]
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
    coalesce: attrs::coalesce::Coalesce,
    fallback: attrs::fallback::Fallback,
    hedge: attrs::hedge::Hedge,
    idempotent: attrs::idempotent::Idempotent,
    rate_limit: attrs::rate_limit::RateLimit,
    retry: attrs::retry::Retry,
    timeout: attrs::timeout::Timeout,
}

#[allow(missing_docs, reason = "documented in the facade, which re-exports it")]
#[proc_macro_derive(Classify, attributes(transient, throttled, permanent, forward, classify))]
pub fn classify(input: TokenStream) -> TokenStream {
    classify::derive(input.into()).into()
}
