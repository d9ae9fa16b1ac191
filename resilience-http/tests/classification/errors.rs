//! Errors made by hand: the error itself and the wrapped error.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use resilience::http::{classify, classify_chain};
use resilience::{Classify, Effect, FailureClass, Rejected, RejectedKind};

type BoxError = Box<dyn Error + Send + Sync>;

#[test]
fn every_io_error_kind_has_a_class() {
    for (kinds, class) in [
        (
            &[
                ErrorKind::ConnectionRefused,
                ErrorKind::HostUnreachable,
                ErrorKind::NetworkUnreachable,
                ErrorKind::NetworkDown,
                ErrorKind::AddrNotAvailable,
            ][..],
            FailureClass::transient().effect(Effect::NotSent),
        ),
        (
            &[
                ErrorKind::ConnectionReset,
                ErrorKind::ConnectionAborted,
                ErrorKind::BrokenPipe,
                ErrorKind::UnexpectedEof,
                ErrorKind::NotConnected,
                ErrorKind::TimedOut,
                ErrorKind::Interrupted,
                ErrorKind::WouldBlock,
                ErrorKind::ResourceBusy,
                ErrorKind::Deadlock,
                ErrorKind::StaleNetworkFileHandle,
                ErrorKind::ExecutableFileBusy,
            ],
            FailureClass::transient(),
        ),
        (
            &[
                ErrorKind::NotFound,
                ErrorKind::PermissionDenied,
                ErrorKind::InvalidInput,
                ErrorKind::InvalidData,
                ErrorKind::AlreadyExists,
                ErrorKind::StorageFull,
                ErrorKind::OutOfMemory,
                ErrorKind::Unsupported,
                ErrorKind::Other,
            ],
            FailureClass::permanent(),
        ),
    ] {
        for kind in kinds {
            assert_eq!(classify(&io::Error::from(*kind)), class, "{kind:?}");
            assert_eq!(classify(&io::Error::new(*kind, "with a message")), class, "{kind:?}");
            let boxed: BoxError = io::Error::from(*kind).into();
            assert_eq!(classify(&boxed), class, "{kind:?}");
        }
    }
}

#[test]
fn a_wrapped_error_takes_precedence() {
    let refused = io::Error::other(io::Error::from(ErrorKind::ConnectionRefused));
    assert_eq!(classify(&refused), FailureClass::transient().effect(Effect::NotSent));
    let rejected = Rejected::new(RejectedKind::RateLimited, "api", Some(Duration::from_secs(2)));
    assert_eq!(classify(&io::Error::from(rejected.clone())), rejected.classify());
    let boxed: BoxError = rejected.clone().into();
    assert_eq!(classify(&boxed), rejected.classify());
    let plain: Box<dyn Error> = rejected.clone().into();
    assert_eq!(classify(&plain), rejected.classify());
    let timed_out = Rejected::timed_out("api", Duration::from_secs(2));
    assert_eq!(classify(&io::Error::from(timed_out)), FailureClass::transient());
}

#[test]
fn an_unknown_error_is_permanent() {
    let boxed: BoxError = "no idea".into();
    assert_eq!(classify(&boxed), FailureClass::permanent());
    assert_eq!(classify_chain(&std::fmt::Error), FailureClass::permanent());
    let anyhow = anyhow::Error::new(io::Error::from(ErrorKind::ConnectionReset)).context("while");
    assert_eq!(classify_chain(anyhow.as_ref()), FailureClass::transient());
}

/// An error with itself as the source.
#[derive(Debug)]
struct Cyclic;

impl std::fmt::Display for Cyclic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cyclic")
    }
}

impl Error for Cyclic {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn a_cyclic_chain_of_sources_ends() {
    assert_eq!(classify_chain(&Cyclic), FailureClass::permanent());
}

#[test]
fn a_request_that_cannot_be_built_is_permanent() {
    let client = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let error = client.get("no url at all").send().expect_err("no url");
    assert!(error.is_builder());
    assert_eq!(classify(&error), FailureClass::permanent().effect(Effect::NotSent));
}
