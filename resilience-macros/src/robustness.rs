//! Property tests: for any arguments and any function, no attribute panics or loses the function.

use std::str::FromStr;

use proc_macro2::{Ident, Span, TokenStream};
use proptest::prelude::*;

use crate::order::Sibling;
use crate::{RUNS, TABLE, classify};

/// The expansion of an attribute.
pub(crate) type Run = fn(&[Sibling], TokenStream, &TokenStream) -> TokenStream;

/// The parts of random arguments: keys, values, and unrelated tokens.
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
    "\"global\"",
    "\"rerun\"",
    "wait(\"5s\")",
    "reconcile(f)",
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
    "@{ outer[x] inner[y] borrow_args }",
    "@{ at[retry] outer[timeout] inner[fallback] adjacent signal[s declared written] deadline_var[b] }",
    "<T>",
];

const FUNCTIONS: &[&str] = &[
    "fn f() -> Result<(), ()> { Err(()) }",
    "async fn f(&mut self, mut a: String, (b, _): (u8, u8)) -> Result<(), ()> { a.clear(); x? }",
    "pub(crate) unsafe extern \"C\" fn f<'a, T, const N: usize>(self: Box<Self>, a: &'a mut T) -> Option<&'a T> where T: X { .. }",
    "#[retry] #[cfg(x)] fn f(mut self) -> u8 { #![allow(x)] half typed ( ) }",
    "const fn f() {}",
    "fn f(&self);",
    "fn f<'async_trait>() -> Pin<Box<dyn Future>> { Box::pin(async move { let __self = self; let mut a = a; let __ret: R = { a }; __ret }) }",
    "fn f<'async_trait>() { let __ret: }",
    "#[retry(attempts = 0)] #[timeout] async fn f(a: impl Fn(u8) -> u8) -> Result<impl X, ()> { async move {} }",
];

/// Joins words to tokens. Invalid tokens are left out.
fn tokens<'w>(words: impl IntoIterator<Item = &'w str>) -> TokenStream {
    words.into_iter().flat_map(|word| TokenStream::from_str(word).unwrap_or_default()).collect()
}

fn soup() -> impl Strategy<Value = TokenStream> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..12).prop_map(tokens)
}

/// Returns the keys of an attribute, as listed in the message about an unknown key.
fn keys(run: Run) -> Vec<String> {
    let function = tokens(["fn f() -> R { }"]);
    let answer = run(TABLE, tokens(["zzzzzzzzzzzzzzzz = 1"]), &function).to_string();
    let list = answer.split("expected one of ").nth(1).expect("the list");
    let list = list.split('"').next().expect("the end of the message");
    list.split(", ").map(|key| key.trim_matches('`').to_owned()).collect()
}

/// Generates an attribute with nearly valid arguments: known keys with random values.
fn nearly_valid() -> impl Strategy<Value = (Run, TokenStream)> {
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
    fn random_arguments(
        run in proptest::sample::select(RUNS),
        args in soup(),
        function in proptest::sample::select(FUNCTIONS),
    ) {
        let output = run(TABLE, args, &tokens([function]));
        prop_assert!(survives(&output), "{output}");
    }

    #[test]
    fn known_keys((run, args) in nearly_valid(), function in proptest::sample::select(FUNCTIONS)) {
        let output = run(TABLE, args, &tokens([function]));
        prop_assert!(survives(&output), "{output}");
    }

    #[test]
    fn random_items(
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
    fn random_enums(word in soup(), field in soup()) {
        let item = quote::quote!(#[throttled(#word)] enum f { #[transient(#field)] A(u8), B { b: u8 } });
        let _output = classify::derive(item);
    }
}

/// Every attribute accepts at least one of these arguments.
const ENOUGH: &[&str] = &[
    "",
    "\"5s\"",
    "value = 7",
    "max = 10",
    "rate = 100",
    "key = 7, scope = \"global\"",
    "after = \"50ms\", idempotent",
];

/// Expands the attribute on a function.
fn expand(run: Run, function: &TokenStream) -> TokenStream {
    let outputs = ENOUGH.iter().map(|args| run(TABLE, tokens([*args]), function));
    let is_valid = |output: &TokenStream| !output.to_string().contains("compile_error");
    outputs.into_iter().find(is_valid).expect("valid arguments")
}

#[test]
fn every_attribute_recognizes_an_expanded_sibling() {
    let function = tokens(["async fn f() -> Result<(), ()> { Ok(()) }"]);
    for inner in RUNS {
        let expanded = expand(*inner, &function);
        for outer in RUNS {
            for args in ENOUGH {
                let output = outer(TABLE, tokens([*args]), &expanded).to_string();
                assert!(output.contains("did not recognize this"), "{output}");
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
