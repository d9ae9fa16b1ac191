//! Errors that are not made by a network: what they wrap, and what they are.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use resilience::http::{classify, classify_chain};
use resilience::{Classify, Effect, FailureClass, Rejected, RejectedKind};

type BoxError = Box<dyn Error + Send + Sync>;

#[test]
fn the_table_of_kinds() {
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
            assert_eq!(classify(&io::Error::new(*kind, "with words")), class, "{kind:?}");
            let boxed: BoxError = io::Error::from(*kind).into();
            assert_eq!(classify(&boxed), class, "{kind:?}");
        }
    }
}

#[test]
fn what_is_wrapped_says_more_than_its_wrapping() {
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
fn what_nobody_knows_is_permanent() {
    let boxed: BoxError = "no idea".into();
    assert_eq!(classify(&boxed), FailureClass::permanent());
    assert_eq!(classify_chain(&std::fmt::Error), FailureClass::permanent());
    let anyhow = anyhow::Error::new(io::Error::from(ErrorKind::ConnectionReset)).context("while");
    assert_eq!(classify_chain(anyhow.as_ref()), FailureClass::transient());
}

/// An error that is its own source.
#[derive(Debug)]
struct Round;

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("round")
    }
}

impl Error for Round {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn a_chain_without_end_ends() {
    assert_eq!(classify_chain(&Round), FailureClass::permanent());
}

#[test]
fn what_cannot_be_sent_is_permanent() {
    let client = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let error = client.get("no url at all").send().expect_err("no url");
    assert!(error.is_builder());
    assert_eq!(classify(&error), FailureClass::permanent().effect(Effect::NotSent));
}
