//! The label of a key.

use core::fmt::{self, Write as _};
use std::sync::Arc;

use resilience_rules::keyed as rules;

use crate::user_text::write_contained;

/// The label of a key in rejections and events, of at most [`rules::MAX_KEY_LABEL`] bytes.
///
/// A thin pointer: a rejection is part of the future of every limited call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLabel(Arc<String>);

impl KeyLabel {
    /// Creates a label. A longer text is cut at a character. A label may come from a request, so
    /// control characters are replaced: a line break would start a line of the log.
    pub fn new(label: impl fmt::Display) -> Self {
        let mut text = LabelText(String::new());
        // An error of `Display`, and the end of the room, end the label.
        let _ = write_contained(&mut text, |text| write!(text, "{label}"));
        Self(Arc::new(text.0))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of a label, without control characters.
struct LabelText(String);

impl fmt::Write for LabelText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for char in part.chars() {
            let char = if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
            if self.0.len() + char.len_utf8() > rules::MAX_KEY_LABEL {
                return Err(fmt::Error);
            }
            self.0.push(char);
        }
        Ok(())
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_long_label_is_cut_at_a_character() {
        assert_eq!(KeyLabel::new("eu-1").as_str(), "eu-1");
        let long = "a".to_owned() + &"ü".repeat(100);
        let label = KeyLabel::new(&long);
        assert!(long.starts_with(label.as_str()));
        assert_eq!(label.as_str().len(), rules::MAX_KEY_LABEL - 1);
    }
}
