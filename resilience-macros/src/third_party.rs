//! Foreign attributes between the attributes of this crate.

use syn::Attribute;

/// Attributes without an effect on the body.
const INERT: &[&str] = &[
    "allow",
    "cfg",
    "cfg_attr",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "no_mangle",
    "track_caller",
    "warn",
];

/// Macros that wrap the body and keep the body in the same function.
const WRAPPERS: &[&str] = &["instrument"];

/// The namespaces of tools. No macro expands their attributes.
const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// Returns whether the attribute does not change the body.
pub(crate) fn is_inert(attribute: &Attribute) -> bool {
    let segments = &attribute.path().segments;
    let first = segments.first().map(|segment| segment.ident.to_string());
    let first = first.as_deref().unwrap_or_default();
    if segments.len() == 1 { INERT.contains(&first) } else { TOOLS.contains(&first) }
}

/// Returns whether the expanded body can still name the locals of the layers outside.
pub(crate) fn keeps_body_in_place(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    is_inert(attribute) || last.is_some_and(|last| WRAPPERS.iter().any(|name| last.ident == name))
}
