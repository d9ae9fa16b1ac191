//! Canonical JSON: two documents with one fingerprint are equal to every JSON reader.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::{ask, counting, layer};

async fn ask_json(api: &axum::Router, body: &str) -> u16 {
    let request = Request::post("/pay").header("idempotency-key", "k");
    let request = request.header("content-type", "application/json");
    ask(api, request.body(Body::from(body.to_owned())).expect("a request")).await.status
}

/// Returns whether the second document receives the response of the first.
async fn is_replayed(first: &str, second: &str) -> bool {
    let (api, runs) = counting(layer().canonical_json(true));
    assert_eq!(ask_json(&api, first).await, 200);
    let status = ask_json(&api, second).await;
    assert_eq!(runs.count(), 1);
    assert!([200, 422].contains(&status));
    status == 200
}

#[tokio::test]
async fn every_digit_of_a_number_counts() {
    for [first, second] in [
        ["20000000000000000001", "20000000000000000002"],
        ["123456789012345678901234567890", "123456789012345678901299999999"],
        ["1234567890123.4567", "1234567890123.4568"],
        ["-9223372036854775809", "-9223372036854775810"],
        ["0.1", "0.10000000000000000001"],
        ["1e400", "1e401"],
        ["1e-400", "0.0"],
        ["-0", "0"],
        ["1", "1.0"],
        ["100", "1e2"],
    ] {
        let document = |number| format!("{{\"wei\":{number}}}");
        assert!(!is_replayed(&document(first), &document(second)).await, "{first} and {second}");
        let spaced = format!("{{ \"wei\" : {first} }}");
        assert!(is_replayed(&document(first), &spaced).await, "{first}");
    }
}

#[tokio::test]
async fn a_repeated_member_is_compared_by_bytes() {
    for [first, second] in [
        [r#"{"amount":1,"amount":100}"#, r#"{"amount":999,"amount":100}"#],
        [r#"{"amount":1,"amount":100}"#, r#"{"amount":1,"amount":999}"#],
        [r#"{"amount":1,"amount":100}"#, r#"{"amount":100}"#],
        [r#"{"amount":1,"amount":100}"#, r#"{"amount":100,"amount":1}"#],
        [r#"{"amount":1,"\u0061mount":100}"#, r#"{"amount":9,"\u0061mount":100}"#],
        [r#"[{"a":{"b":1,"b":2}}]"#, r#"[{"a":{"b":3,"b":2}}]"#],
    ] {
        assert!(!is_replayed(first, second).await, "{first} and {second}");
        assert!(is_replayed(first, first).await);
        assert!(!is_replayed(first, &format!(" {first}")).await);
    }
}

#[tokio::test]
async fn equal_strings_have_equal_escapes() {
    assert!(
        is_replayed(
            r#"{"to":"Ada \u00e9 \n / \ud83d\ude00"}"#,
            "{\"to\":\"Ad\\u0061 é \\u000a \\/ 😀\"}"
        )
        .await
    );
    for [first, second] in [
        [r#"{"a":"\u0000"}"#, r#"{"a":""}"#],
        [r#"{"a":"1"}"#, r#"{"a":1}"#],
        [r#"{"a":null}"#, r#"{"a":"null"}"#],
        [r#"{"a":[]}"#, r#"{"a":{}}"#],
        [r#"["a,b"]"#, r#"["a","b"]"#],
        ["[[1],2]", "[[1,2]]"],
        [r#"{"a":{"b":1},"c":1}"#, r#"{"a":{"b":1,"c":1}}"#],
    ] {
        assert!(!is_replayed(first, second).await, "{first} and {second}");
    }
}

#[tokio::test]
async fn text_that_is_not_json_is_compared_by_bytes() {
    for text in [
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":NaN}",
        "{'a':1}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\x\"}",
        "{} {}",
        "{\"a\":tru}",
        "{a:1}",
        "\u{feff}{}",
        "{\"a\":\"\n\"}",
        "{\"a\":1\u{a0}}",
        "",
        "\"",
        "{\"a\":-}",
    ] {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        assert!(is_replayed(text, text).await, "{text}");
        assert!(!is_replayed(text, &format!("{text} ")).await, "{text}");
    }
}

#[tokio::test]
async fn a_deep_document_is_compared_by_bytes() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (depth, is_canonical) in [(100, true), (127, true), (200, false), (500_000, false)] {
        let (first, second) = (nested(depth), format!("{} ", nested(depth)));
        assert_eq!(is_replayed(&first, &second).await, is_canonical, "{depth}");
    }
}

/// A JSON document. A number is its text, as for a reader with arbitrary precision.
#[derive(Clone, Debug)]
enum Document {
    Literal(&'static str),
    Text(&'static str),
    Array(Vec<Document>),
    Object(Vec<(&'static str, Document)>),
}

const LITERALS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "1E0",
    "100",
    "1e2",
    "20000000000000000001",
    "20000000000000000002",
    "1234567890123.4567",
    "1234567890123.4568",
    "1e400",
    "true",
    "false",
    "null",
];
const TEXTS: [&str; 6] = ["", "a", "b", "é", "a\"\\\n", "1"];

fn documents() -> impl Strategy<Value = Document> {
    let leaf = prop_oneof![
        3 => select(&LITERALS[..]).prop_map(Document::Literal),
        1 => select(&TEXTS[..]).prop_map(Document::Text),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let member = (select(&TEXTS[..]), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Document::Array),
            prop::collection::vec(member, 0..4).prop_map(Document::Object),
        ]
    })
}

impl Document {
    /// Prints the document. `style` chooses white space, escapes and the order of members.
    fn print(&self, style: &mut u64, out: &mut String) {
        let mut choose = |count: u64| {
            *style = style
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (*style >> 33) % count
        };
        let space = [" ", "\n", "", ""][usize::try_from(choose(4)).expect("an index")];
        let is_reversed = choose(2) == 0;
        let is_escaped = choose(2) == 0;
        out.push_str(space);
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Text(text) => print_text(text, is_escaped, out),
            Self::Array(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    out.push_str(if number > 0 { "," } else { "" });
                    item.print(style, out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                let mut order: Vec<_> = members.iter().collect();
                // The order of repeated members has a meaning for some readers.
                if is_reversed && !self.has_repeated_members() {
                    order.reverse();
                }
                for (number, (name, value)) in order.into_iter().enumerate() {
                    out.push_str(if number > 0 { "," } else { "" });
                    print_text(name, is_escaped, out);
                    out.push(':');
                    value.print(style, out);
                }
                out.push('}');
            }
        }
        out.push_str(space);
    }

    fn printed(&self, mut style: u64) -> String {
        let mut out = String::new();
        self.print(&mut style, &mut out);
        out
    }

    fn has_repeated_members(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Text(_) => false,
            Self::Array(items) => items.iter().any(Self::has_repeated_members),
            Self::Object(members) => {
                let names: std::collections::BTreeSet<_> = members.iter().map(|it| it.0).collect();
                names.len() < members.len()
                    || members.iter().any(|(_, value)| value.has_repeated_members())
            }
        }
    }

    /// Changes the node with this number.
    fn change(&mut self, number: &mut usize, with: &Self) {
        if *number == 0 {
            let name = match self {
                Self::Object(members) => members.first().map(|(name, _)| *name),
                _ => None,
            };
            match (name, &mut *self) {
                (Some(name), Self::Object(members)) => members.push((name, with.clone())),
                (_, node) => *node = with.clone(),
            }
        }
        *number = number.wrapping_sub(1);
        match self {
            Self::Literal(_) | Self::Text(_) => {}
            Self::Array(items) => items.iter_mut().for_each(|item| item.change(number, with)),
            Self::Object(members) => {
                for (_, value) in members {
                    value.change(number, with);
                }
            }
        }
    }

    /// Returns the document of a reader with arbitrary precision that takes the first or the last
    /// of several members.
    fn read(&self, takes_first: bool) -> Read {
        match self {
            Self::Literal(text) => Read::Literal(text),
            Self::Text(text) => Read::Text(text),
            Self::Array(items) => {
                Read::Array(items.iter().map(|it| it.read(takes_first)).collect())
            }
            Self::Object(members) => {
                let mut read = BTreeMap::new();
                for (name, value) in members {
                    if !(takes_first && read.contains_key(name)) {
                        read.insert(*name, value.read(takes_first));
                    }
                }
                Read::Object(read)
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Read {
    Literal(&'static str),
    Text(&'static str),
    Array(Vec<Read>),
    Object(BTreeMap<&'static str, Read>),
}

fn print_text(text: &str, is_escaped: bool, out: &mut String) {
    if !is_escaped {
        return out.push_str(&serde_json::to_string(text).expect("a string"));
    }
    out.push('"');
    for unit in text.encode_utf16() {
        write!(out, "\\u{unit:04x}").expect("a string accepts writes");
    }
    out.push('"');
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(work)
}

proptest! {
    #[test]
    fn documents_with_one_fingerprint_are_equal_to_every_reader(
        first in documents(),
        with in documents(),
        number in 0_usize..12,
        styles: [u64; 2],
    ) {
        let mut second = first.clone();
        second.change(&mut number.clone(), &with);
        let texts = [first.printed(styles[0]), second.printed(styles[1])];
        if block_on(is_replayed(&texts[0], &texts[1])) {
            for takes_first in [true, false] {
                prop_assert_eq!(first.read(takes_first), second.read(takes_first));
            }
            let values = texts.each_ref().map(|text| serde_json::from_str::<Value>(text).ok());
            prop_assert_eq!(&values[0], &values[1]);
            // Typed readers of a document that is a single number.
            let integers = texts.each_ref().map(|text| serde_json::from_str::<i128>(text).ok());
            prop_assert_eq!(integers[0], integers[1]);
            let floats = texts.each_ref().map(|text| serde_json::from_str::<f64>(text).ok());
            prop_assert_eq!(floats[0].map(f64::to_bits), floats[1].map(f64::to_bits));
        }
    }

    #[test]
    fn the_style_of_a_document_does_not_count(document in documents(), styles: [u64; 2]) {
        let texts = styles.map(|style| document.printed(style));
        let is_replayed = block_on(is_replayed(&texts[0], &texts[1]));
        let is_canonical = !document.has_repeated_members() || texts[0] == texts[1];
        prop_assert_eq!(is_replayed, is_canonical, "{} and {}", texts[0], texts[1]);
    }
}
