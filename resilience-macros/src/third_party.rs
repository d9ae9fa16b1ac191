//! Attributes of other crates and of the language, between the attributes of this crate.
//!
//! A macro cannot ask the compiler for the origin of an attribute, so the path decides:
//! - `#[unsafe(…)]` is built in: the language allows no macro in this form.
//! - A path with `::` whose first segment is the namespace of a tool belongs to the tool.
//! - A single word is built in if the Rust Reference lists the word, or if the word begins with
//!   `rustc_`.
//! - Any other attribute is a macro of another crate.

use syn::Attribute;

/// The built-in attributes of functions: the index of built-in attributes in the Rust Reference,
/// and the unstable attributes that the compiler knows.
const BUILT_IN: &[&str] = &[
    "allow",
    "automatically_derived",
    "bench",
    "cfg",
    "cfg_attr",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "instruction_set",
    "link_name",
    "link_section",
    "linkage",
    "must_use",
    "naked",
    "no_mangle",
    "no_sanitize",
    "optimize",
    "sanitize",
    "should_panic",
    "stable",
    "target_feature",
    "test",
    "track_caller",
    "type_const",
    "unsafe",
    "unstable",
    "warn",
];

/// The built-in attributes whose name other crates use for a macro on an `async fn`, such as
/// `use tokio::test`.
const BUILT_IN_WITHOUT_ASYNC: &[&str] = &["bench", "test"];

/// Macros that wrap the body and keep the body in the same function.
const WRAPPERS: &[&str] = &["instrument"];

/// The namespaces of tools. No macro expands their attributes.
const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustc", "rustfmt"];

/// Macros with helper attributes named like an attribute of this crate: `#[timeout]` below
/// `#[rstest]`.
const HELPERS: &[(&str, &str)] = &[("rstest", "timeout"), ("apply", "timeout")];

/// Returns whether the attribute does not change the body.
pub(crate) fn is_inert(attribute: &Attribute, is_async: bool) -> bool {
    let segments = &attribute.path().segments;
    let first = segments.first().map(|segment| segment.ident.to_string());
    let first = first.as_deref().unwrap_or_default();
    if segments.len() > 1 {
        return TOOLS.contains(&first);
    }
    first.starts_with("rustc_")
        || BUILT_IN.contains(&first) && !(is_async && BUILT_IN_WITHOUT_ASYNC.contains(&first))
}

/// Returns whether the expanded body can still name the locals of the layers outside.
pub(crate) fn keeps_body_in_place(attribute: &Attribute, is_async: bool) -> bool {
    let last = attribute.path().segments.last();
    is_inert(attribute, is_async)
        || last.is_some_and(|last| WRAPPERS.iter().any(|name| last.ident == name))
}

/// Returns whether a bare attribute is a helper of a macro above, not an attribute of this crate.
pub(crate) fn is_helper(attribute: &Attribute, above: &[Attribute]) -> bool {
    HELPERS.iter().any(|(owner, helper)| {
        attribute.path().is_ident(helper)
            && above
                .iter()
                .any(|above| above.path().segments.last().is_some_and(|last| last.ident == owner))
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn built_in_attributes_and_attributes_of_tools_are_inert() {
        let inert: [Attribute; 12] = [
            parse_quote!(#[cfg_attr(test, inline)]),
            parse_quote!(#[clippy::cognitive_complexity = "9"]),
            parse_quote!(#[coverage(off)]),
            parse_quote!(#[diagnostic::do_not_recommend]),
            parse_quote!(#[ignore = "slow"]),
            parse_quote!(#[rustc_legacy_const_generics(1)]),
            parse_quote!(#[rustfmt::skip]),
            parse_quote!(#[should_panic(expected = "x")]),
            parse_quote!(#[target_feature(enable = "sse2")]),
            parse_quote!(#[unsafe(export_name = "x")]),
            parse_quote!(#[unsafe(link_section = ".text.x")]),
            parse_quote!(#[unsafe(no_mangle)]),
        ];
        for attribute in inert {
            assert!(is_inert(&attribute, true) && is_inert(&attribute, false));
        }
    }

    #[test]
    fn macros_are_not_inert() {
        let macros: [Attribute; 4] = [
            parse_quote!(#[tokio::test]),
            parse_quote!(#[cached]),
            parse_quote!(#[test_case(1)]),
            parse_quote!(#[inline::always]),
        ];
        for attribute in macros {
            assert!(!is_inert(&attribute, false));
        }
        // `use tokio::test`
        let test = parse_quote!(#[test]);
        assert!(is_inert(&test, false) && !is_inert(&test, true));
    }
}
