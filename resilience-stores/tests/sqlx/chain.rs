//! Errors of `sqlx` inside others.

use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use resilience::stores::{classify_chain, find_class};
use resilience::{Classify, FailureClass, Rejected, RejectedKind};
use sqlx::Error;

use crate::table::Coded;
use crate::{REFUSED, UNSENT};

/// An error of the user's.
#[derive(Debug)]
struct Own<S>(S);

impl<S> fmt::Display for Own<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the accounts cannot be read")
    }
}

impl<S: StdError + 'static> StdError for Own<S> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn busy() -> Error {
    Coded(Some("40001")).into()
}

#[test]
fn is_found_wherever_it_stands() {
    assert_eq!(classify_chain(&busy()), REFUSED);
    assert_eq!(classify_chain(&Own(busy())), REFUSED);
    assert_eq!(classify_chain(&Own(Own(busy()))), REFUSED);
    assert_eq!(classify_chain(&Own(Box::new(busy()))), REFUSED);
    assert_eq!(classify_chain(&Own(Arc::new(busy()))), REFUSED);
    assert_eq!(classify_chain(&Own(io::Error::other(busy()))), REFUSED);
    let boxed: Box<dyn StdError + Send + Sync> = Own(busy()).into();
    assert_eq!(classify_chain(boxed.as_ref()), REFUSED);
}

#[test]
fn the_outermost_that_is_known_counts() {
    let inner = io::Error::other(Error::Io(io::ErrorKind::ConnectionRefused.into()));
    assert_eq!(
        classify_chain(&Own(Error::Configuration(Box::new(inner)))).kind,
        FailureClass::permanent().kind
    );
    let rejected = Rejected::new(RejectedKind::CircuitOpen, "accounts", None);
    assert_eq!(classify_chain(&Own(rejected.clone())), rejected.classify());
}

#[test]
fn another_table_can_go_on() {
    let unknown = Own(io::Error::from(io::ErrorKind::ConnectionRefused));
    assert_eq!((find_class(&unknown), classify_chain(&unknown)), (None, FailureClass::permanent()));
    let both = |error: &(dyn StdError + 'static)| {
        find_class(error).unwrap_or_else(|| resilience::http::classify_chain(error))
    };
    assert_eq!((both(&unknown), both(&Own(busy()))), (UNSENT, REFUSED));
}
