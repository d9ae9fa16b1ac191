//! Probes for the traits of an error type: whether the type implements `Classify`, `Display` or
//! `Debug`. Generated code does not know the type, so method resolution decides (autoref-based
//! specialization).
//!
//! The methods have a prefix: a blanket trait of the user cannot have a method with the name.

use core::error::Error;
use core::fmt;
use core::marker::{PhantomData, PhantomPinned};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use crate::classify::{Classify, FailureClass};
use crate::guarded::Guarded;
use crate::log::Shown;
use crate::rejected::Rejected;

/// A reference to an error, with the question for the class of the error.
///
/// Answers, in this order, for the receiver `&&&&ClassProbe`:
/// 1. The error type implements `Classify`.
/// 2. The type is [`Chained`], such as `anyhow::Error`, `Box<dyn Error>` or `io::Error`: a
///    rejection in the source chain decides, else the error is transient.
/// 3. The type is `Guarded` around a chained type.
/// 4. The type is concrete and none of the above: the error is transient.
/// 5. The type depends on a type parameter without a `Classify` bound, so the concrete type may
///    have an implementation. The method then has a bound that fails with the fix.
///
/// A type parameter is recognized by a missing `Unpin`: concrete error types are `Unpin`. A pointer
/// is `Unpin` for any target, so `P` is the target of a pointer, or [`Parameter`] for a type
/// parameter of the function.
#[derive(Clone, Copy, Debug)]
pub struct ClassProbe<'e, E, P: ?Sized> {
    error: &'e E,
    target: PhantomData<P>,
}

/// Returns a probe for the class of `error`.
#[inline]
#[must_use]
pub fn class_probe<P: ?Sized, E>(error: &E) -> ClassProbe<'_, E, P> {
    ClassProbe { error, target: PhantomData }
}

/// Stands for a type parameter in a `ClassProbe`.
#[derive(Debug)]
pub struct Parameter(PhantomPinned);

/// The class of an error with `Classify`. Found first.
pub trait Classified {
    /// Returns the class by the error's own `Classify`.
    fn resilience_class(&self) -> FailureClass;
}

impl<E: Classify, P: ?Sized> Classified for &&&ClassProbe<'_, E, P> {
    #[inline]
    fn resilience_class(&self) -> FailureClass {
        self.error.classify()
    }
}

/// An error type whose chain of sources may hold the rejection of another function.
///
/// The compiler infers `By`, which separates the implementations. A type with two implementations
/// does not compile, so `Guarded` has a trait of its own: a `Guarded<E>` has `AsRef<dyn Error>` if
/// `E` is an error.
pub trait Chained<By> {
    /// Returns the start of the chain.
    fn chain(&self) -> &(dyn Error + 'static);
}

/// Marks `anyhow::Error`, `eyre::Report`, `Box<dyn Error>`, and `Guarded` around an error.
#[derive(Debug)]
pub enum ByReference {}

impl<E: AsRef<dyn Error>> Chained<ByReference> for E {
    fn chain(&self) -> &(dyn Error + 'static) {
        self.as_ref()
    }
}

/// Marks the types without `AsRef<dyn Error>`.
#[derive(Debug)]
pub enum ByName {}

impl Chained<ByName> for io::Error {
    fn chain(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl Chained<ByName> for Box<dyn Error + Send> {
    fn chain(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

impl Chained<ByName> for Box<dyn Error + Send + Sync> {
    fn chain(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

impl Chained<ByName> for Arc<dyn Error + Send + Sync> {
    fn chain(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

/// A [`Guarded`] around a chained type that is no error itself, such as `anyhow::Error`.
pub trait ChainedInGuard<By> {
    /// Returns the start of the chain.
    fn chain_in_guard(&self) -> &(dyn Error + 'static);
}

impl<E: Chained<By>, By> ChainedInGuard<By> for Guarded<E> {
    fn chain_in_guard(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Failed(error) => error.chain(),
            Self::Rejected(rejected) => rejected,
        }
    }
}

/// Marks the pointers to a chained type.
#[derive(Debug)]
pub struct ByPointer<By>(PhantomData<By>);

macro_rules! chained_pointer {
    ($($pointer:ident),*) => {
        $(
            impl<E: Chained<By>, By> Chained<ByPointer<By>> for $pointer<E> {
                fn chain(&self) -> &(dyn Error + 'static) {
                    (**self).chain()
                }
            }

            impl<E: ChainedInGuard<By>, By> ChainedInGuard<ByPointer<By>> for $pointer<E> {
                fn chain_in_guard(&self) -> &(dyn Error + 'static) {
                    (**self).chain_in_guard()
                }
            }
        )*
    };
}

chained_pointer!(Arc, Box, Rc);

/// The class of a `Chained` error. Found second.
pub trait ClassifiedBySource<By> {
    /// Returns the class of the rejection in the source chain, or a transient class.
    fn resilience_class(&self) -> FailureClass;
}

impl<E: Chained<By>, By, P: ?Sized> ClassifiedBySource<By> for &&ClassProbe<'_, E, P> {
    #[cold]
    fn resilience_class(&self) -> FailureClass {
        class_by_source(self.error.chain())
    }
}

/// The class of a `ChainedInGuard` error. Found third.
pub trait ClassifiedInGuard<By> {
    /// Returns the class of the rejection, or of a rejection in the source chain, or a transient
    /// class.
    fn resilience_class(&self) -> FailureClass;
}

impl<E: ChainedInGuard<By>, By, P: ?Sized> ClassifiedInGuard<By> for &ClassProbe<'_, E, P> {
    #[cold]
    fn resilience_class(&self) -> FailureClass {
        class_by_source(self.error.chain_in_guard())
    }
}

fn class_by_source(error: &(dyn Error + 'static)) -> FailureClass {
    Rejected::find(error).map_or(FailureClass::transient(), Classify::classify)
}

/// The class of an error of another concrete type. Found fourth.
pub trait Unclassified {
    /// Returns a transient class.
    #[inline]
    fn resilience_class(&self) -> FailureClass {
        FailureClass::transient()
    }
}

impl<E: Unpin, P: Unpin + ?Sized> Unclassified for ClassProbe<'_, E, P> {}

/// The class of an error of any other type, for events: with this trait in place of
/// [`Unclassified`], a type parameter needs no bound.
pub trait UnclassifiedAny {
    /// Returns a transient class.
    #[inline]
    fn resilience_class(&self) -> FailureClass {
        FailureClass::transient()
    }
}

impl<E, P: ?Sized> UnclassifiedAny for ClassProbe<'_, E, P> {}

/// Returns the class of an error for an event.
#[doc(hidden)]
#[macro_export]
macro_rules! __known_class {
    ($error:expr) => {
        match $error {
            $crate::__private::Some(error) => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    Classified as _, ClassifiedBySource as _, ClassifiedInGuard as _,
                    UnclassifiedAny as _,
                };
                (&&&&$crate::__private::class_probe::<(), _>(error)).resilience_class()
            }
            $crate::__private::None => $crate::__private::FailureClass::transient(),
        }
    };
}

/// The class of an error whose type depends on a type parameter without a bound. Found last,
/// because the method takes the probe by value.
pub trait ClassOfParameter<E>: Sized {
    /// Does not compile: the bound fails.
    fn resilience_class(self) -> FailureClass
    where
        E: Classify;
}

impl<E, P: ?Sized> ClassOfParameter<E> for ClassProbe<'_, E, P> {
    fn resilience_class(self) -> FailureClass
    where
        E: Classify,
    {
        self.error.classify()
    }
}

/// A reference to an error, with the question for the text of the error, for the receiver
/// `&&Probe`.
#[derive(Debug)]
pub struct Probe<'e, E>(pub &'e E);

impl<E> Clone for Probe<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Probe<'_, E> {}

/// The text of a response: the status. `Debug` would show the headers. Found first.
pub trait ShownAsResponse<'e> {
    /// Returns the status.
    fn resilience_shown(&self) -> Shown<'e>;
}

#[cfg(feature = "axum")]
impl<'e> ShownAsResponse<'e> for &Probe<'e, axum_core::response::Response> {
    fn resilience_shown(&self) -> Shown<'e> {
        Shown::Status(self.0.status())
    }
}

impl<'e, E: fmt::Display> Probe<'e, E> {
    /// Returns the error by `Display`.
    #[must_use]
    pub fn resilience_shown(&self) -> Shown<'e> {
        Shown::Display(self.0)
    }
}

/// The text of an error that has `Debug` only.
pub trait ShownByDebug<'e> {
    /// Returns the error by `Debug`.
    fn resilience_shown(&self) -> Shown<'e>;
}

impl<'e, E: fmt::Debug> ShownByDebug<'e> for Probe<'e, E> {
    fn resilience_shown(&self) -> Shown<'e> {
        Shown::Debug(self.0)
    }
}

/// The text of an error without `Display` and `Debug`. Found last, because the method takes the
/// probe by value.
pub trait ShownByNothing: Sized {
    /// Returns an empty text.
    fn resilience_shown(self) -> Shown<'static> {
        Shown::Nothing
    }
}

impl<E> ShownByNothing for Probe<'_, E> {}

/// Returns the text of an error by `Display` or `Debug`, whichever the concrete type has.
#[doc(hidden)]
#[macro_export]
macro_rules! __shown {
    ($error:expr) => {
        match $error {
            $crate::__private::Some(error) => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    ShownAsResponse as _, ShownByDebug as _, ShownByNothing as _,
                };
                (&&$crate::__private::Probe(error)).resilience_shown()
            }
            $crate::__private::None => $crate::__private::Shown::Nothing,
        }
    };
}

#[cfg(test)]
mod tests {
    use super::{Classified as _, Unclassified as _, class_probe};
    use crate::classify::{Classify, FailureClass};

    struct Permanent;

    impl Classify for Permanent {
        fn classify(&self) -> FailureClass {
            FailureClass::permanent()
        }
    }

    #[test]
    fn the_own_classification_wins_and_other_concrete_types_are_transient() {
        let class = (&&&&class_probe::<(), _>(&Permanent)).resilience_class();
        assert_eq!(class, FailureClass::permanent());
        let probe = &&&&class_probe::<(), _>(&"down");
        assert_eq!(probe.resilience_class(), FailureClass::transient());
    }
}
