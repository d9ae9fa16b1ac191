//! The text of a failure, as the source of a rejection.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU64;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use resilience_rules::circuit_breaker::ENDED_CAUSES;

/// The text of a failure: the error itself belongs to the caller of the failed call.
pub(crate) struct FailureText(pub(crate) Arc<str>);

impl fmt::Display for FailureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FailureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Error for FailureText {}

/// The largest number of bytes of a text.
const LONGEST: usize = 1024;

/// Returns the text without an end that is too long to be kept.
pub(crate) fn shortened(mut text: String) -> Arc<str> {
    if text.len() > LONGEST {
        const MARK: char = '…';
        let longest = LONGEST - MARK.len_utf8();
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push(MARK);
    }
    text.into()
}

/// The number of a failure whose text the process keeps.
///
/// An open circuit rejects many calls with one failure. Each rejection holds the number, without a
/// lock and a reference count, and looks the text up when its source is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeptFailure(NonZeroU64);

/// The texts by their numbers.
struct Texts {
    last: u64,
    known: BTreeMap<u64, Arc<str>>,
    /// Released failures, oldest first.
    released: VecDeque<u64>,
}

static TEXTS: RwLock<Texts> =
    RwLock::new(Texts { last: 0, known: BTreeMap::new(), released: VecDeque::new() });

fn texts() -> RwLockWriteGuard<'static, Texts> {
    TEXTS.write().unwrap_or_else(PoisonError::into_inner)
}

impl KeptFailure {
    /// Keeps a text until the failure is [released](Self::release).
    pub(crate) fn keep(text: Arc<str>) -> Self {
        let mut texts = texts();
        texts.last = texts.last.saturating_add(1);
        let number = NonZeroU64::new(texts.last).unwrap_or(NonZeroU64::MIN);
        texts.known.insert(number.get(), text);
        Self(number)
    }

    /// Releases the failure. The text stays known until a number of further failures is released,
    /// for rejections that are still on their way.
    pub(crate) fn release(self) {
        let mut texts = texts();
        texts.released.push_back(self.0.get());
        let outdated = if texts.released.len() > ENDED_CAUSES {
            texts.released.pop_front().and_then(|oldest| texts.known.remove(&oldest))
        } else {
            None
        };
        drop(texts);
        drop(outdated);
    }

    /// Returns the text, unless too many failures were released since.
    pub(crate) fn text(self) -> Option<Arc<str>> {
        let texts = TEXTS.read().unwrap_or_else(PoisonError::into_inner);
        texts.known.get(&self.0.get()).cloned()
    }

    /// Returns the number, for an atomic word; never zero.
    pub(crate) const fn word(self) -> u64 {
        self.0.get()
    }

    /// Returns the failure with a number from a word; `None` for zero.
    #[inline]
    pub(crate) fn from_word(word: u64) -> Option<Self> {
        NonZeroU64::new(word).map(Self)
    }
}

impl fmt::Display for KeptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_deref().unwrap_or("the failure is no longer known"))
    }
}

impl fmt::Debug for KeptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => fmt::Debug::fmt(&text, f),
            None => f.write_str("(no longer known)"),
        }
    }
}

impl Error for KeptFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_outlives_its_release_by_a_bounded_number_of_failures() {
        let kept = KeptFailure::keep("kept".into());
        let first = KeptFailure::keep("first".into());
        assert_eq!(KeptFailure::from_word(first.word()), Some(first));
        first.release();
        assert_eq!(first.to_string(), "first");
        for _ in 0..ENDED_CAUSES {
            KeptFailure::keep("other".into()).release();
        }
        assert_eq!(first.text(), None);
        assert_eq!(first.to_string(), "the failure is no longer known");
        assert_eq!(format!("{kept:?}"), "\"kept\"");
        kept.release();
        // Other tests release failures at the same time.
        let texts = texts();
        assert!(texts.released.len() <= ENDED_CAUSES);
    }
}
