//! Patterns for names of policies.

/// Returns whether a name matches a pattern. A `*` stands for any text; any other character for
/// itself.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    let Some(middle) = rest.strip_suffix(last) else { return false };
    rest = middle;
    parts.all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let name = "payments::charge";
        for pattern in [
            "*",
            "payments::charge",
            "payments::*",
            "*charge",
            "*::*",
            "p*::c*e",
            "payments*charge",
        ] {
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in [
            "",
            "payments",
            "payments::",
            "charge",
            "*::refund",
            "p*x*e",
            "payments::charge*e",
            "PAYMENTS::*",
        ] {
            assert!(!matches(pattern, name), "{pattern}");
        }
        assert!(matches("", "") && matches("*", "") && matches("a*a", "aa"));
        assert!(!matches("a*a", "a"));
    }
}
