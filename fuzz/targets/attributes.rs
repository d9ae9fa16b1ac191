//! Attribute arguments and items: no tokens make an attribute panic, the function survives all expansions, and the
//! expansion of a function without mistakes is Rust.
//!
//! The modules are those of `resilience-macros`: a crate of macros exports nothing else.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the target uses the expansion only")]

use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use proc_macro2::{Ident, Span, TokenStream};

use crate::function::{Body, Function};

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
#[path = "../../resilience-macros/src/classify/mod.rs"]
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
#[path = "../../resilience-macros/src/toml.rs"]
mod toml;
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

// In the order of `TABLE`.
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

/// Returns the function of the item, or the item in front of a function.
fn function(item: &str) -> Option<(TokenStream, Ident)> {
    let tokens = TokenStream::from_str(item).ok();
    let parsed = tokens.clone().and_then(|tokens| syn::parse2::<Function>(tokens).ok());
    if let (Some(tokens), Some(Function { sig, body: Body::Block(_), .. })) = (tokens, parsed) {
        return Some((tokens, sig.ident));
    }
    // A comment at the end of the item must not hide the function.
    let tokens = TokenStream::from_str(&format!("{item}\nfn f() -> R {{ }}")).ok()?;
    Some((tokens, Ident::new("f", Span::call_site())))
}

/// Expands the next attribute of the function, as the compiler does.
fn expand_next(output: &TokenStream) -> Option<TokenStream> {
    let mut function = syn::parse2::<Function>(output.clone()).ok()?;
    let (at, run) = function.attrs.iter().enumerate().find_map(|(at, attribute)| {
        let name = &attribute.path().segments.last()?.ident;
        let which = TABLE.iter().position(|known| name == known.name)?;
        Some((at, RUNS[which]))
    })?;
    let arguments = match function.attrs.remove(at).meta {
        syn::Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    Some(run(TABLE, arguments, &quote::quote!(#function)))
}

fuzz_target!(|parts: (u8, &str, &str)| {
    let (which, arguments, item) = parts;
    if item.contains("enum") || item.contains("struct") {
        let _classified = TokenStream::from_str(item).map(classify::derive);
    }
    let Ok(arguments) = TokenStream::from_str(arguments) else { return };
    let Some((function, name)) = function(item) else { return };
    let is_valid = syn::parse2::<syn::ItemFn>(function.clone()).is_ok();
    let run = RUNS[usize::from(which) % RUNS.len()];
    let mut output = run(TABLE, arguments, &function);
    // An attribute that stands twice is an error without further expansions.
    for _ in 0..2 * RUNS.len() {
        let Some(next) = expand_next(&output) else { break };
        output = next;
    }
    assert!(tokens::any_ident(&output, &|ident| *ident == name), "{output}");
    let is_error = |ident: &Ident| *ident == "compile_error";
    if is_valid && !tokens::any_ident(&output, &is_error) {
        assert!(syn::parse2::<syn::File>(output.clone()).is_ok(), "{output}");
    }
});
