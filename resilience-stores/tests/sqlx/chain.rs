//! Errors of `sqlx` inside other errors.

use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use resilience::stores::{classify_chain, find_class};
use resilience::{Classify, FailureClass, Rejected, RejectedKind};
use sqlx::Error;

use crate::table::Coded;
use crate::{REFUSED, UNSENT};

/// An application error.
#[derive(Debug)]
struct RepositoryError<S>(S);

impl<S> fmt::Display for RepositoryError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the accounts cannot be read")
    }
}

impl<S: StdError + 'static> StdError for RepositoryError<S> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn busy() -> Error {
    Coded(Some("40001")).into()
}

#[test]
fn a_wrapped_error_is_found() {
    assert_eq!(classify_chain(&busy()), REFUSED);
    assert_eq!(classify_chain(&RepositoryError(busy())), REFUSED);
    assert_eq!(classify_chain(&RepositoryError(RepositoryError(busy()))), REFUSED);
    assert_eq!(classify_chain(&RepositoryError(Box::new(busy()))), REFUSED);
    assert_eq!(classify_chain(&RepositoryError(Arc::new(busy()))), REFUSED);
    assert_eq!(classify_chain(&RepositoryError(io::Error::other(busy()))), REFUSED);
    let boxed: Box<dyn StdError + Send + Sync> = RepositoryError(busy()).into();
    assert_eq!(classify_chain(boxed.as_ref()), REFUSED);
}

#[test]
fn the_outermost_known_error_decides() {
    let inner = io::Error::other(Error::Io(io::ErrorKind::ConnectionRefused.into()));
    assert_eq!(
        classify_chain(&RepositoryError(Error::Configuration(Box::new(inner)))).kind,
        FailureClass::permanent().kind
    );
    let rejected = Rejected::new(RejectedKind::CircuitOpen, "accounts", None);
    assert_eq!(classify_chain(&RepositoryError(rejected.clone())), rejected.classify());
}

#[test]
fn an_unknown_chain_allows_another_classifier() {
    let unknown = RepositoryError(io::Error::from(io::ErrorKind::ConnectionRefused));
    assert_eq!((find_class(&unknown), classify_chain(&unknown)), (None, FailureClass::permanent()));
    let both = |error: &(dyn StdError + 'static)| {
        find_class(error).unwrap_or_else(|| resilience::http::classify_chain(error))
    };
    assert_eq!((both(&unknown), both(&RepositoryError(busy()))), (UNSENT, REFUSED));
}
