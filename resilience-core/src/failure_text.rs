//! The text of a failure, as the source of a rejection.

use core::error::Error;
use core::fmt;

/// The text of a failure: the error itself belongs to the caller of the failed call.
pub(crate) struct FailureText(pub(crate) Box<str>);

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
