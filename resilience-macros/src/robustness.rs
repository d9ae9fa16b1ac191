//! Whatever stands in the attribute and in the function: no panic, and the function survives.

use std::str::FromStr;

use proc_macro2::{Ident, Span, TokenStream};
use proptest::prelude::*;

use crate::attrs::retry::Retry;
use crate::{TABLE, classify, pipeline};

/// What keys, values, and what has nothing to do here are made of.
const WORDS: &[&str] = &[
    "attempts",
    "backoff",
    "base_delay",
    "max_delay",
    "factor",
    "jitter",
    "deadline",
    "on",
    "on_ok",
    "idempotent",
    "max_retry_after",
    "budget",
    "on_rejection",
    "clone",
    "bind",
    "on_retry",
    "log",
    "on_give_up",
    "policy",
    "name",
    "crate",
    "self",
    "Self",
    "N",
    "mut",
    "fn",
    "async",
    "impl",
    "loop",
    "=",
    ",",
    ",",
    "=",
    ":",
    "::",
    ";",
    "|",
    "||",
    "&",
    "-",
    "*",
    ".",
    "..",
    "@",
    "#",
    "!",
    "?",
    "=>",
    "4",
    "0",
    "-1",
    "1.5",
    "5s",
    "0.5e400",
    "99999999999999999999",
    "\"250ms\"",
    "\"1m30s\"",
    "\"\"",
    "\"99999999999999999999d\"",
    "\"-1s\"",
    "\"1e400s\"",
    "\"µs\"",
    "\"full\"",
    "\"unlimited\"",
    "'a'",
    "b\"x\"",
    "true",
    "r#\"{self}\"#",
    "|e| true",
    "Duration::MAX",
    "MAX",
    "(a, b)",
    "[\"1s\"]",
    "()",
    "{}",
    "{ N }",
    "(self)",
    "[]",
    "(@)",
    "outer[retry]",
    "@{ outer[x] inner[y] lend }",
    "<T>",
];

const FUNCTIONS: &[&str] = &[
    "fn f() -> Result<(), ()> { Err(()) }",
    "async fn f(&mut self, mut a: String, (b, _): (u8, u8)) -> Result<(), ()> { a.clear(); x? }",
    "pub(crate) unsafe extern \"C\" fn f<'a, T, const N: usize>(self: Box<Self>, a: &'a mut T) -> Option<&'a T> where T: X { .. }",
    "#[retry] #[cfg(x)] fn f(mut self) -> u8 { #![allow(x)] half typed ( ) }",
    "const fn f() {}",
    "fn f(&self);",
    "fn f() -> Pin<Box<dyn Future>> { Box::pin(async move { let __self = self; let mut a = a; let __ret: R = { a }; __ret }) }",
    "fn f() { let __ret: }",
    "#[retry(attempts = 0)] #[timeout] async fn f(a: impl Fn(u8) -> u8) -> Result<impl X, ()> { async move {} }",
];

fn soup() -> impl Strategy<Value = TokenStream> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..12).prop_map(|words| {
        // Words that do not lex together are left out one by one.
        let mut tokens = TokenStream::new();
        for word in words {
            tokens.extend(TokenStream::from_str(word).unwrap_or_default());
        }
        tokens
    })
}

fn survives(output: &TokenStream) -> bool {
    let name = Ident::new("f", Span::call_site());
    crate::tokens::any_ident(output, &|ident| *ident == name)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_arguments(args in soup(), function in proptest::sample::select(FUNCTIONS)) {
        let function = TokenStream::from_str(function).expect("written above");
        let output = pipeline::run::<Retry>(TABLE, args, &function);
        prop_assert!(survives(&output), "{output}");
    }

    #[test]
    fn any_item(before in soup(), after in soup()) {
        let mut item = before;
        item.extend(TokenStream::from_str("fn f() -> R { }").expect("a function"));
        item.extend(after);
        prop_assert!(survives(&pipeline::run::<Retry>(TABLE, TokenStream::new(), &item)));
    }

    #[test]
    fn any_enum(word in soup(), field in soup()) {
        let item = quote::quote!(#[throttled(#word)] enum f { #[transient(#field)] A(u8), B { b: u8 } });
        let _output = classify::derive(item);
    }
}
