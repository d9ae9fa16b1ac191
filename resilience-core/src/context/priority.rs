//! The priority of a call.

use core::fmt;
use core::str::FromStr;

/// The priority of a call, as the criticality of Google's *Site Reliability Engineering*,
/// chapter 21.
///
/// Higher priorities compare as greater.
///
/// ```
/// use resilience::context::Priority;
///
/// assert!(Priority::Critical > Priority::Sheddable);
/// assert_eq!("sheddable-plus".parse(), Ok(Priority::SheddablePlus));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// May fail often, such as a batch job.
    Sheddable,
    /// May fail sometimes, such as a prefetch that runs again later.
    SheddablePlus,
    /// A user waits for the result.
    Critical,
    /// A failure harms users severely.
    CriticalPlus,
}

const ALL: [Priority; 4] =
    [Priority::Sheddable, Priority::SheddablePlus, Priority::Critical, Priority::CriticalPlus];

impl Priority {
    /// Returns the word of the priority in headers: `sheddable`, `sheddable-plus`, `critical` or
    /// `critical-plus`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::SheddablePlus => "sheddable-plus",
            Self::Critical => "critical",
            Self::CriticalPlus => "critical-plus",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no [`Priority`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPriority;

impl fmt::Display for UnknownPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a priority is `sheddable`, `sheddable-plus`, `critical` or `critical-plus`")
    }
}

impl core::error::Error for UnknownPriority {}

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        let is_it = |priority: &Priority| priority.as_str().eq_ignore_ascii_case(text);
        ALL.into_iter().find(is_it).ok_or(UnknownPriority)
    }
}
