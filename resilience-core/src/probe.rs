//! Probes for the traits of an error type: whether the type implements `Classify`, `Display` or
//! `Debug`. Generated code does not know the type, so method resolution decides (autoref-based
//! specialization).

use core::error::Error;
use core::fmt;

use crate::classify::{Classify, FailureClass};
use crate::log::Shown;
use crate::rejected::Rejected;

/// A reference to an error. The inherent methods win over the trait methods below if the error
/// type implements the trait in question.
#[derive(Debug)]
pub struct Probe<'e, E>(pub &'e E);

/// The class of an error with `Classify`. Found first.
pub trait Classified {
    /// Returns the class by the error's own `Classify`.
    fn class(&self) -> FailureClass;
}

impl<E: Classify> Classified for &Probe<'_, E> {
    #[inline]
    fn class(&self) -> FailureClass {
        self.0.classify()
    }
}

/// The class of an error that holds any error, such as `anyhow::Error` or `Box<dyn Error>`. Found
/// second.
pub trait ClassifiedBySource {
    /// Returns the class of the rejection in the source chain, or a transient class.
    fn class(&self) -> FailureClass;
}

impl<E: AsRef<dyn Error>> ClassifiedBySource for &&Probe<'_, E> {
    #[cold]
    fn class(&self) -> FailureClass {
        class_by_source(self.0.as_ref())
    }
}

/// `Box<dyn Error + Send + Sync>`. Found third.
impl<E: AsRef<dyn Error + Send + Sync>> Probe<'_, E> {
    /// Returns the class of the rejection in the source chain, or a transient class.
    #[cold]
    #[must_use]
    pub fn class(&self) -> FailureClass {
        class_by_source(self.0.as_ref())
    }
}

/// The class of any other error. Found last.
pub trait Unclassified {
    /// Returns a transient class.
    #[inline]
    fn class(&self) -> FailureClass {
        FailureClass::transient()
    }
}

impl<E> Unclassified for Probe<'_, E> {}

fn class_by_source(error: &(dyn Error + 'static)) -> FailureClass {
    Rejected::find(error).map_or(FailureClass::transient(), Classify::classify)
}

impl<'e, E: fmt::Display> Probe<'e, E> {
    /// Returns the error by `Display`.
    #[must_use]
    pub fn shown(&self) -> Shown<'e> {
        Shown::Display(self.0)
    }
}

/// The text of an error that has `Debug` only.
pub trait ShownByDebug<'e> {
    /// Returns the error by `Debug`.
    fn shown(&self) -> Shown<'e>;
}

impl<'e, E: fmt::Debug> ShownByDebug<'e> for Probe<'e, E> {
    fn shown(&self) -> Shown<'e> {
        Shown::Debug(self.0)
    }
}

/// The text of an error without `Display` and `Debug`. Found last, because the method needs one
/// more reference.
pub trait ShownByNothing {
    /// Returns an empty text.
    fn shown(&self) -> Shown<'static> {
        Shown::Nothing
    }
}

impl<E> ShownByNothing for &Probe<'_, E> {}
