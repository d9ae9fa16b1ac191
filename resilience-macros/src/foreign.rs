//! Attributes of others between ours: what is known of them.

use syn::Attribute;

/// Attributes that leave the body as it is.
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

/// Macros that put something around the body, in the same function.
const WRAPPERS: &[&str] = &["instrument"];

/// The namespaces of tools, whose attributes no macro expands.
const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// Whether the body behind the attribute is the body in front of it.
pub(crate) fn is_inert(attribute: &Attribute) -> bool {
    let segments = &attribute.path().segments;
    let first = segments.first().map(|segment| segment.ident.to_string());
    let first = first.as_deref().unwrap_or_default();
    if segments.len() == 1 { INERT.contains(&first) } else { TOOLS.contains(&first) }
}

/// Whether the body behind the attribute can name the locals in front of it.
pub(crate) fn keeps_the_body_in_place(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    is_inert(attribute) || last.is_some_and(|last| WRAPPERS.iter().any(|name| last.ident == name))
}
