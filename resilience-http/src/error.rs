//! What an error means.

use core::convert::Infallible;
use std::error::Error;
use std::io;

use resilience_core::__internal::error_sources;
use resilience_core::{Classify, FailureClass, FailureKind, Rejected};

use crate::classifier::Classifier;
use crate::clients;
use crate::io::table;

/// What an error of a client means, for `on`: whether the request may have been applied, and whether
/// another attempt can do better. One word for each client whose feature is on: `reqwest`, `hyper`,
/// `hyper-util`, `tonic`; and for `std::io::Error` and boxed errors.
///
/// The error does not know the method of its request: on a function whose request must not be applied
/// twice, say `idempotent = false`, and only what certainly was not applied is repeated.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use std::io::{Error, ErrorKind};
/// use resilience::{FailureClass, Effect};
/// use resilience_http::classify;
///
/// let refused = Error::from(ErrorKind::ConnectionRefused);
/// assert_eq!(classify(&refused), FailureClass::transient().effect(Effect::NotSent));
/// let reset = Error::from(ErrorKind::ConnectionReset);
/// assert_eq!(classify(&reset), FailureClass::transient()); // nobody knows whether it was applied
/// let denied = Error::from(ErrorKind::PermissionDenied);
/// assert_eq!(classify(&denied), FailureClass::permanent());
/// ```
#[must_use]
pub fn classify<E: HttpError + ?Sized>(error: &E) -> FailureClass {
    Classifier::new().error(error)
}

/// What the first error of a chain that is known means: the error itself, what it wraps, and so on by
/// [`source`](Error::source). Permanent if none is known. For an error of your own around that of a
/// client.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use std::{error::Error, fmt, io};
/// use resilience::{FailureClass, RetryPolicy, Effect, testing};
/// use resilience_http::classify_chain;
///
/// #[derive(Debug)]
/// struct ApiError(io::Error);
///
/// impl fmt::Display for ApiError {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("the interface does not answer")
///     }
/// }
///
/// impl Error for ApiError {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let error = ApiError(io::ErrorKind::ConnectionRefused.into());
/// assert_eq!(classify_chain(&error), FailureClass::transient().effect(Effect::NotSent));
/// ```
#[must_use]
pub fn classify_chain(error: &(dyn Error + 'static)) -> FailureClass {
    Classifier::new().chain(error)
}

/// An error whose meaning for HTTP is known.
#[diagnostic::on_unimplemented(
    message = "`resilience::http` does not know what `{Self}` means",
    label = "needs `HttpError`",
    note = "known are `std::io::Error` and boxed errors, and each with its feature `reqwest::Error`, `hyper::Error`, `hyper_util::client::legacy::Error` and `tonic::Status`",
    note = "for an error that has one of them as its `source`, write `on = |error| resilience::http::classify_chain(error)`; for any other, implement `resilience::Classify` and leave `on` out"
)]
pub trait HttpError {
    /// What it means by these rules.
    fn class(&self, rules: &Classifier) -> FailureClass;
}

impl<E: HttpError + ?Sized> HttpError for Box<E> {
    fn class(&self, rules: &Classifier) -> FailureClass {
        (**self).class(rules)
    }
}

impl HttpError for dyn Error + Send + Sync {
    fn class(&self, rules: &Classifier) -> FailureClass {
        chain(rules, self)
    }
}

macro_rules! known {
    ($($(#[$feature:meta])? $error:ty),* $(,)?) => {
        $($(#[$feature])? impl HttpError for $error {
            fn class(&self, rules: &Classifier) -> FailureClass {
                chain(rules, self)
            }
        })*
    };
}

known! {
    dyn Error,
    dyn Error + Send,
    // Of services that always answer, such as a router of `axum`.
    Infallible,
    io::Error,
    Rejected,
    #[cfg(feature = "hyper")] hyper::Error,
    #[cfg(feature = "hyper-util")] hyper_util::client::legacy::Error,
    #[cfg(feature = "reqwest")] reqwest::Error,
    #[cfg(feature = "tonic")] tonic::Status,
}

/// The meaning of a chain.
pub(crate) fn chain(rules: &Classifier, error: &(dyn Error + 'static)) -> FailureClass {
    known(rules, error).unwrap_or_else(FailureClass::permanent)
}

/// The meaning of the first error of a chain that has one.
pub(crate) fn known(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    let mut by_kind: Option<FailureClass> = None;
    for error in error_sources(error) {
        if let Some(rejected) = error.downcast_ref::<Rejected>() {
            return Some(rejected.classify());
        }
        if let Some(class) = clients::class(rules, error) {
            return Some(class);
        }
        // Goes on to what it wraps, which says more than the kind that it was given.
        if let Some(error) = error.downcast_ref::<io::Error>() {
            if by_kind.is_none_or(|class| class.kind == FailureKind::Permanent) {
                by_kind = Some(table(error.kind()));
            }
        }
    }
    by_kind
}
