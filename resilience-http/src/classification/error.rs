//! Classification of errors.

use core::convert::Infallible;
use std::error::Error;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use resilience_core::__internal::{downcast, error_sources};
use resilience_core::{Classify, FailureClass, FailureKind, Guarded, Rejected};

use super::classifier::Classifier;
use super::clients;
use super::io::{classify_kind, is_definite};

/// Returns the class of an error of an HTTP client, for `on = classify`.
///
/// The class says whether the server may have applied the request, and whether another attempt can
/// succeed. Known are the errors of each client whose feature is enabled (`reqwest`, `hyper`,
/// `hyper-util`, `tonic`), `std::io::Error` and boxed errors, also inside an `Arc` or an `Rc`.
///
/// An error does not contain the method of the request. Set `idempotent = false` on a function
/// whose request must not be applied twice; a retry then needs proof of "not applied".
///
/// # Examples
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use resilience::{FailureClass, Effect};
/// use resilience::http::classify;
///
/// let refused = Error::from(ErrorKind::ConnectionRefused);
/// assert_eq!(classify(&refused), FailureClass::transient().effect(Effect::NotSent));
/// let reset = Error::from(ErrorKind::ConnectionReset);
/// assert_eq!(classify(&reset), FailureClass::transient()); // the effect is unknown
/// let denied = Error::from(ErrorKind::PermissionDenied);
/// assert_eq!(classify(&denied), FailureClass::permanent());
/// ```
#[must_use]
pub fn classify<E: HttpError + ?Sized>(error: &E) -> FailureClass {
    Classifier::new().error(error)
}

/// Returns the class of the first known error in a chain of sources.
///
/// The search starts with the error and follows [`source`](Error::source). The class is permanent
/// if the chain has no known error. Use this function for an application error around the error of
/// a client. The error of the client may be inside a `Box` or an `Arc`.
///
/// A variant with `#[error(transparent)]` hides the error of the client: `source` returns the
/// source of the inner error. Give the variant a text, or derive `Classify` with
/// `#[forward(with = resilience::http::classify)]` on the variant.
///
/// # Examples
///
/// ```
/// use std::{error::Error, fmt, io};
/// use resilience::{FailureClass, RetryPolicy, Effect, testing};
/// use resilience::http::classify_chain;
///
/// #[derive(Debug)]
/// struct ApiError(io::Error);
///
/// impl fmt::Display for ApiError {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("the API does not answer")
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

/// An error with a known class for HTTP.
#[diagnostic::on_unimplemented(
    message = "`resilience::http` cannot classify `{Self}`",
    label = "needs `HttpError`",
    note = "for the error of a client, enable the feature for its version: `reqwest` for `reqwest` 0.13 and `reqwest-012` for 0.12, `hyper` for 1, `hyper-util` for 0.1, `tonic` for 0.14; `cargo tree -i reqwest` shows the version in use",
    note = "`std::io::Error` and boxed errors need no feature",
    note = "for an error with a known error as `source`, write `on = |error| resilience::http::classify_chain(error)`, for `anyhow` with `error.as_ref()`; for any other error, implement `resilience::Classify` and remove `on`",
    note = "for a response, write `on_ok = resilience::http::classify_response`"
)]
pub trait HttpError {
    /// Returns the class of the error under these rules.
    fn class(&self, rules: &Classifier) -> FailureClass;

    /// Returns the class of the error, or `None` if the rules do not know the error. A circuit
    /// breaker counts an unknown error as a failure.
    fn known_class(&self, rules: &Classifier) -> Option<FailureClass> {
        Some(self.class(rules))
    }
}

macro_rules! pointer {
    ($($pointer:ident),*) => {
        $(impl<E: HttpError + ?Sized> HttpError for $pointer<E> {
            fn class(&self, rules: &Classifier) -> FailureClass {
                (**self).class(rules)
            }

            fn known_class(&self, rules: &Classifier) -> Option<FailureClass> {
                (**self).known_class(rules)
            }
        })*
    };
}

pointer!(Arc, Box, Rc);

impl<E: HttpError + ?Sized> HttpError for &E {
    fn class(&self, rules: &Classifier) -> FailureClass {
        (**self).class(rules)
    }

    fn known_class(&self, rules: &Classifier) -> Option<FailureClass> {
        (**self).known_class(rules)
    }
}

impl<E: HttpError> HttpError for Guarded<E> {
    fn class(&self, rules: &Classifier) -> FailureClass {
        self.classify_with(|error| error.class(rules))
    }

    fn known_class(&self, rules: &Classifier) -> Option<FailureClass> {
        match self {
            Self::Failed(error) => error.known_class(rules),
            Self::Rejected(rejected) => rejected.known_class(rules),
        }
    }
}

impl HttpError for dyn Error + Send + Sync {
    fn class(&self, rules: &Classifier) -> FailureClass {
        classify_sources(rules, self)
    }

    fn known_class(&self, rules: &Classifier) -> Option<FailureClass> {
        known_in_sources(rules, self)
    }
}

macro_rules! known {
    ($($(#[$feature:meta])? $error:ty),* $(,)?) => {
        $($(#[$feature])? impl HttpError for $error {
            fn class(&self, rules: &Classifier) -> FailureClass {
                classify_sources(rules, self)
            }

            fn known_class(&self, rules: &Classifier) -> Option<FailureClass> {
                known_in_sources(rules, self)
            }
        })*
    };
}

known! {
    dyn Error,
    dyn Error + Send,
    // The error of an infallible service, such as an `axum` router.
    Infallible,
    io::Error,
    Rejected,
    #[cfg(feature = "hyper")] hyper::Error,
    #[cfg(feature = "hyper-util")] hyper_util::client::legacy::Error,
    #[cfg(feature = "reqwest")] reqwest::Error,
    #[cfg(feature = "reqwest-012")] reqwest_012::Error,
    #[cfg(feature = "tonic")] tonic::Status,
}

/// Returns the class of the first known error in a chain, or a permanent failure.
pub(crate) fn classify_sources(rules: &Classifier, error: &(dyn Error + 'static)) -> FailureClass {
    first_known(rules, error).unwrap_or_else(FailureClass::permanent)
}

/// Returns the class of the first known error in a chain.
pub(crate) fn first_known(
    rules: &Classifier,
    error: &(dyn Error + 'static),
) -> Option<FailureClass> {
    first_known_by(rules, error, |kind| Some(classify_kind(kind)))
}

/// Returns the class of the first known error in a chain. An `io::Error` without a definite kind
/// is not known.
fn known_in_sources(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    first_known_by(rules, error, |kind| is_definite(kind).then(|| classify_kind(kind)))
}

fn first_known_by(
    rules: &Classifier,
    error: &(dyn Error + 'static),
    by_io_kind: impl Fn(io::ErrorKind) -> Option<FailureClass>,
) -> Option<FailureClass> {
    let mut by_kind: Option<FailureClass> = None;
    for error in error_sources(error) {
        if let Some(rejected) = error.downcast_ref::<Rejected>() {
            return Some(rejected.classify());
        }
        if let Some(class) = clients::classify(rules, error) {
            return Some(class);
        }
        // The search continues, because the wrapped error is more specific than the `ErrorKind`.
        if let Some(error) = downcast::<io::Error>(error) {
            if by_kind.is_none_or(|class| class.kind == FailureKind::Permanent) {
                let class = by_io_kind(error.kind()).map(|class| rules.of_unknown_request(class));
                by_kind = class.or(by_kind);
            }
        }
    }
    by_kind
}
