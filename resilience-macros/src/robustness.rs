//! Whatever stands in the attribute and in the function: no panic, and the function survives.

use std::str::FromStr;

use proc_macro2::{Ident, Span, TokenStream};
use proptest::prelude::*;

use crate::order::Entry;
use crate::{RUNS, TABLE, classify};

/// An attribute, as the compiler calls it.
pub(crate) type Run = fn(&[Entry], TokenStream, &TokenStream) -> TokenStream;

/// What values, and what has nothing to do here, are made of.
const WORDS: &[&str] = &[
    "clone",
    "budget",
    "crate",
    "fail_max",
    "failure_rate_threshold",
    "limit",
    "timeout",
    "seconds",
    "default",
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
    "\"failure\"",
    "\"100/s\"",
    "50%",
    "&SHARED",
    "self.breaker",
    "crate::path",
    "|error| error.is_transient()",
    "async { 7 }",
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
    "@{ at[retry] outer[timeout] inner[fallback] direct slot[s declared heard] bound[b] }",
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

/// Words that do not lex together are left out one by one.
fn tokens<'w>(words: impl IntoIterator<Item = &'w str>) -> TokenStream {
    words.into_iter().flat_map(|word| TokenStream::from_str(word).unwrap_or_default()).collect()
}

fn soup() -> impl Strategy<Value = TokenStream> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..12).prop_map(tokens)
}

/// The keys of an attribute, as its answer to an unknown one lists them.
fn keys(run: Run) -> Vec<String> {
    let function = tokens(["fn f() -> R { }"]);
    let answer = run(TABLE, tokens(["zzzzzzzzzzzzzzzz = 1"]), &function).to_string();
    let list = answer.split("its keys are ").nth(1).expect("the list");
    let list = list.split('"').next().expect("the end of the message");
    list.split(", ").map(|key| key.trim_matches('`').to_owned()).collect()
}

/// An attribute with arguments that are nearly right: its own keys with values of any kind.
fn nearly() -> impl Strategy<Value = (Run, TokenStream)> {
    proptest::sample::select(RUNS).prop_flat_map(|run| {
        let key = proptest::sample::select(keys(run));
        let value = proptest::sample::select(WORDS);
        let argument = (key, value).prop_map(|(key, value)| tokens([&*key, "=", value, ","]));
        let first = proptest::option::of(proptest::sample::select(WORDS));
        (Just(run), first, proptest::collection::vec(argument, 0..6)).prop_map(
            |(run, first, arguments)| {
                let first = first.map(|first| tokens([first, ","]));
                (run, first.into_iter().chain(arguments).collect())
            },
        )
    })
}

fn survives(output: &TokenStream) -> bool {
    let name = Ident::new("f", Span::call_site());
    crate::tokens::any_ident(output, &|ident| *ident == name)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_arguments(
        run in proptest::sample::select(RUNS),
        args in soup(),
        function in proptest::sample::select(FUNCTIONS),
    ) {
        let output = run(TABLE, args, &tokens([function]));
        prop_assert!(survives(&output), "{output}");
    }

    #[test]
    fn own_keys((run, args) in nearly(), function in proptest::sample::select(FUNCTIONS)) {
        let output = run(TABLE, args, &tokens([function]));
        prop_assert!(survives(&output), "{output}");
    }

    #[test]
    fn any_item(
        run in proptest::sample::select(RUNS),
        args in proptest::sample::select(ENOUGH),
        before in soup(),
        after in soup(),
    ) {
        let item = before.into_iter().chain(tokens(["fn f() -> R { }"])).chain(after).collect();
        let output = run(TABLE, tokens([args]), &item);
        prop_assert!(survives(&output), "{output}");
    }

    #[test]
    fn any_enum(word in soup(), field in soup()) {
        let item = quote::quote!(#[throttled(#word)] enum f { #[transient(#field)] A(u8), B { b: u8 } });
        let _output = classify::derive(item);
    }
}

/// For every attribute, one of these is enough.
const ENOUGH: &[&str] =
    &["", "\"5s\"", "value = 7", "max = 10", "rate = 100", "key = 7, scope = global"];

/// The function with the attribute around it.
fn around(run: Run, function: &TokenStream) -> TokenStream {
    let outputs = ENOUGH.iter().map(|args| run(TABLE, tokens([*args]), function));
    let is_right = |output: &TokenStream| !output.to_string().contains("compile_error");
    outputs.into_iter().find(is_right).expect("arguments that are enough")
}

#[test]
fn every_layer_is_seen_by_one_that_comes_too_late() {
    let function = tokens(["async fn f() -> Result<(), ()> { Ok(()) }"]);
    for inner in RUNS {
        let expanded = around(*inner, &function);
        for outer in RUNS {
            for args in ENOUGH {
                let output = outer(TABLE, tokens([*args]), &expanded).to_string();
                assert!(output.contains("was expanded before"), "{output}");
            }
        }
    }
}

#[test]
fn every_attribute_lists_its_keys() {
    let lists: Vec<_> = RUNS.iter().map(|run| keys(*run)).collect();
    assert_eq!(lists.len(), TABLE.len());
    assert!(lists.iter().all(|keys| keys.iter().any(|key| key == "name")), "{lists:?}");
}
