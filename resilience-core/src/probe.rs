//! Probes for the traits of an error type: whether the type implements `Classify`, `Display` or
//! `Debug`. Generated code does not know the type, so method resolution decides (autoref-based
//! specialization).

use core::fmt;

use crate::classify::{Classify, FailureClass};
use crate::log::Shown;

/// A reference to an error. The inherent methods win over the trait methods below if the error
/// type implements the trait in question.
#[derive(Debug)]
pub struct Probe<'e, E>(pub &'e E);

impl<E: Classify> Probe<'_, E> {
    /// Returns the class by the error's own `Classify`.
    #[inline]
    #[must_use]
    pub fn class(&self) -> FailureClass {
        self.0.classify()
    }
}

/// The class of an error without `Classify`.
pub trait Unclassified {
    /// Returns a transient class.
    #[inline]
    fn class(&self) -> FailureClass {
        FailureClass::transient()
    }
}

impl<E> Unclassified for Probe<'_, E> {}

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
