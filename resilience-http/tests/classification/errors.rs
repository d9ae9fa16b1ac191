//! Errors made by hand: the error itself and the wrapped error.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use resilience::http::{classify, classify_chain};
use resilience::{Classify, Effect, FailureClass, FailureKind, Guarded, Rejected, RejectedKind};

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

/// An error of an application, with the error of a client as the source.
#[derive(Debug)]
struct Around<E>(E);

impl<E> std::fmt::Display for Around<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the API does not answer")
    }
}

impl<E: Error + 'static> Error for Around<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The classes of an error of a client in each pointer, as a source and by itself.
fn in_pointers<E: Error + Send + Sync + 'static>(error: fn() -> E) -> [FailureClass; 9] {
    let in_dyn: fn(E) -> Arc<dyn Error + Send + Sync> = |error| Arc::new(error);
    let in_local_dyn: fn(E) -> Arc<dyn Error> = |error| Arc::new(error);
    [
        classify_chain(&Around(Box::new(error()))),
        classify_chain(&Around(Arc::new(error()))),
        classify_chain(&Around(in_dyn(error()))),
        classify_chain(&Around(in_local_dyn(error()))),
        classify_chain(&Arc::new(error())),
        classify_chain(&Box::new(error())),
        classify::<BoxError>(&Around(Box::new(error())).into()),
        classify::<BoxError>(&Around(Arc::new(error())).into()),
        classify(&io::Error::other(Arc::new(error()))),
    ]
}

fn unavailable() -> reqwest::Error {
    let response = http::Response::builder().status(503).body("").expect("a response");
    reqwest::Response::from(response).error_for_status().expect_err("503")
}

#[test]
fn the_error_of_a_client_in_a_pointer_has_its_class() {
    assert_eq!(in_pointers(unavailable), [classify(&unavailable()); 9]);
    let refused = || io::Error::from(ErrorKind::ConnectionRefused);
    assert_eq!(in_pointers(refused), [classify(&refused()); 9]);
    let busy = || tonic::Status::unavailable("busy");
    assert_eq!(in_pointers(busy), [classify(&busy()); 9]);
    let overloaded = tower::load_shed::error::Overloaded::new;
    assert_eq!(in_pointers(overloaded), [classify_chain(&overloaded()); 9]);
    let rejected = || Rejected::new(RejectedKind::CircuitOpen, "api", None);
    assert_eq!(in_pointers(rejected), [rejected().classify(); 9]);
}

#[test]
fn a_shared_error_of_a_client_is_an_error_of_http() {
    let class = classify(&unavailable());
    assert_eq!(class.kind, FailureKind::Transient);
    assert_eq!(classify(&Arc::new(unavailable())), class);
    assert_eq!(classify(&Rc::new(unavailable())), class);
    assert_eq!(classify(&&unavailable()), class);
    assert_eq!(classify(&Guarded::Failed(Arc::new(unavailable()))), class);
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
