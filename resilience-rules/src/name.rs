//! Names of policies.

use crate::RuleResult;
use crate::invalid::require;
use crate::settings::MAX_NAME;

/// The number of different names made at run time that a process stores.
pub const MAX_NAMES: usize = 10_000;

/// The name of a policy whose name is not stored.
pub const OTHER: &str = "(other)";

/// Checks the name of a policy. Settings and `control` find the policy by its name.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a blank name, a name with `*` or a control
/// character, and a name longer than [`MAX_NAME`].
pub const fn name(name: &str) -> RuleResult {
    let (mut is_blank, mut has_star, mut has_control) = (true, false, false);
    let mut rest = name.as_bytes();
    while let [byte, tail @ ..] = rest {
        is_blank &= *byte == b' ';
        has_star |= *byte == b'*';
        has_control |= byte.is_ascii_control();
        rest = tail;
    }
    if is_blank {
        return require(false, "`name` is empty; write a name, or remove `name`");
    }
    if has_star {
        return require(
            false,
            "`name` has a `*`, which is a pattern in settings and in `control`; remove the `*`",
        );
    }
    require(
        !has_control && name.len() <= MAX_NAME,
        "`name` has a control character or more than 512 bytes, so no setting could name the policy",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_used_in_settings() {
        for name in ["payments::charge", "partner API", "prüfung", &"n".repeat(MAX_NAME)] {
            assert_eq!(super::name(name), Ok(()), "{name}");
        }
        for (name, reason) in [
            ("", "is empty"),
            ("  ", "is empty"),
            ("payments::*", "is a pattern"),
            ("two\nlines", "control character"),
            (&"n".repeat(MAX_NAME + 1), "512 bytes"),
        ] {
            let broken = super::name(name).expect_err(name);
            assert!(broken.message().contains(reason), "{name}: {broken}");
        }
        assert_eq!(MAX_NAME, 512, "the message has the number");
    }
}
