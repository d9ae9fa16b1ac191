//! Attribute arguments and items: no tokens make an attribute panic, and the function survives.
//!
//! The modules are those of `resilience-macros`: a crate of macros exports nothing else.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the target uses the expansion only")]

use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use proc_macro2::{Ident, Span, TokenStream};

#[path = "../../resilience-macros/src/args.rs"]
mod args;
#[path = "../../resilience-macros/src/async_trait.rs"]
mod async_trait;
#[path = "../../resilience-macros/src/attrs/mod.rs"]
mod attrs;
#[path = "../../resilience-macros/src/budget.rs"]
mod budget;
#[path = "../../resilience-macros/src/builder.rs"]
mod builder;
#[path = "../../resilience-macros/src/captures.rs"]
mod captures;
#[path = "../../resilience-macros/src/check.rs"]
mod check;
#[path = "../../resilience-macros/src/classify.rs"]
mod classify;
#[path = "../../resilience-macros/src/codegen.rs"]
mod codegen;
#[path = "../../resilience-macros/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../resilience-macros/src/error_type.rs"]
mod error_type;
#[path = "../../resilience-macros/src/function.rs"]
mod function;
#[path = "../../resilience-macros/src/instance_key.rs"]
mod instance_key;
#[path = "../../resilience-macros/src/keys.rs"]
mod keys;
#[path = "../../resilience-macros/src/limit.rs"]
mod limit;
#[path = "../../resilience-macros/src/log_level.rs"]
mod log_level;
#[path = "../../resilience-macros/src/manifest.rs"]
mod manifest;
#[path = "../../resilience-macros/src/order.rs"]
mod order;
#[path = "../../resilience-macros/src/pipeline.rs"]
mod pipeline;
#[path = "../../resilience-macros/src/returned_borrow.rs"]
mod returned_borrow;
#[path = "../../resilience-macros/src/stack_info.rs"]
mod stack_info;
#[path = "../../resilience-macros/src/state_source.rs"]
mod state_source;
#[path = "../../resilience-macros/src/third_party.rs"]
mod third_party;
#[path = "../../resilience-macros/src/tokens.rs"]
mod tokens;
#[path = "../../resilience-macros/src/tracing_instrument.rs"]
mod tracing_instrument;
#[path = "../../resilience-macros/src/value.rs"]
mod value;

type Run = fn(&[order::Sibling], TokenStream, &TokenStream) -> TokenStream;

const TABLE: &[order::Sibling] = &[
    order::Sibling::of::<attrs::bulkhead::Bulkhead>(),
    order::Sibling::of::<attrs::circuit_breaker::CircuitBreaker>(),
    order::Sibling::of::<attrs::coalesce::Coalesce>(),
    order::Sibling::of::<attrs::fallback::Fallback>(),
    order::Sibling::of::<attrs::hedge::Hedge>(),
    order::Sibling::of::<attrs::idempotent::Idempotent>(),
    order::Sibling::of::<attrs::rate_limit::RateLimit>(),
    order::Sibling::of::<attrs::retry::Retry>(),
    order::Sibling::of::<attrs::timeout::Timeout>(),
];

const RUNS: &[Run] = &[
    pipeline::run::<attrs::bulkhead::Bulkhead>,
    pipeline::run::<attrs::circuit_breaker::CircuitBreaker>,
    pipeline::run::<attrs::coalesce::Coalesce>,
    pipeline::run::<attrs::fallback::Fallback>,
    pipeline::run::<attrs::hedge::Hedge>,
    pipeline::run::<attrs::idempotent::Idempotent>,
    pipeline::run::<attrs::rate_limit::RateLimit>,
    pipeline::run::<attrs::retry::Retry>,
    pipeline::run::<attrs::timeout::Timeout>,
];

fuzz_target!(|parts: (u8, &str, &str)| {
    let (which, arguments, item) = parts;
    let Ok(arguments) = TokenStream::from_str(arguments) else { return };
    // A comment at the end of the item must not hide the function.
    let function = format!("{item}\nfn f() -> R {{ }}");
    let Ok(function) = TokenStream::from_str(&function) else { return };
    let run = RUNS[usize::from(which) % RUNS.len()];
    let output = run(TABLE, arguments, &function);
    let name = Ident::new("f", Span::call_site());
    assert!(tokens::any_ident(&output, &|ident| *ident == name), "{output}");
    let _classified = classify::derive(function);
});
