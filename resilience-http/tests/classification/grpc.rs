//! `tonic::Status`.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use resilience::http::{Classifier, classify, classify_response};
use resilience::{
    Classify, Effect, FailureClass, FailureKind, IdempotencyRejection, Rejected, RejectedKind,
    retry, testing,
};
use tonic::{Code, ConnectError, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::headers;

const AFTER: Duration = Duration::from_millis(250);

fn pushback(code: Code, value: &str) -> Status {
    let mut status = Status::new(code, "");
    let value = value.parse().expect("a value");
    status.metadata_mut().insert("grpc-retry-pushback-ms", value);
    status
}

fn caused_by(code: Code, source: impl std::error::Error + Send + Sync + 'static) -> Status {
    let mut status = Status::new(code, "");
    status.set_source(Arc::new(source));
    status
}

#[test]
fn every_code_has_a_class() {
    for code in (0..17).map(Code::from) {
        let expected = match code {
            Code::Unavailable => FailureClass::transient(),
            _ => FailureClass::permanent(),
        };
        assert_eq!(classify(&Status::new(code, "")), expected, "{code:?}");
    }
    let exhausted = Status::new(Code::ResourceExhausted, "");
    let rules = Classifier::new().resource_exhausted(true);
    assert_eq!(rules.error(&exhausted), FailureClass::throttled(None));
}

#[test]
fn pushback_and_retry_info_set_the_delay() {
    assert_eq!(
        classify(&pushback(Code::Unavailable, "250")),
        FailureClass::transient().after(AFTER)
    );
    let exhausted = classify(&pushback(Code::ResourceExhausted, "250"));
    assert_eq!(exhausted, FailureClass::throttled(Some(AFTER)));
    for never in ["-1", "", "soon", "1.5", "+5"] {
        assert_eq!(
            classify(&pushback(Code::Unavailable, never)),
            FailureClass::permanent(),
            "{never:?}"
        );
    }
    // A pushback makes no permanent failure retryable.
    assert_eq!(classify(&pushback(Code::NotFound, "250")), FailureClass::permanent());

    let details = ErrorDetails::with_retry_info(Some(AFTER));
    let status = Status::with_error_details(Code::ResourceExhausted, "", details.clone());
    assert_eq!(classify(&status), FailureClass::throttled(Some(AFTER)));
    let status = Status::with_error_details(Code::Unavailable, "", details);
    assert_eq!(classify(&status), FailureClass::transient().after(AFTER));
}

/// A server answers a call that fails before the first message by headers alone.
#[test]
fn a_code_in_the_headers_of_a_response_counts() {
    let class = |lines: &[(&'static str, &str)]| {
        let mut response = http::Response::new(());
        *response.headers_mut() = headers(lines);
        classify_response(&response)
    };
    let grpc = ("content-type", "application/grpc");
    let answered = classify_response(&http::Response::new(()));
    for (code, expected) in [
        ("0", answered),
        ("5", FailureClass::permanent()),
        ("8", FailureClass::permanent()),
        ("10", FailureClass::permanent()),
        ("13", FailureClass::permanent()),
        ("14", FailureClass::transient()),
        ("99", FailureClass::permanent()),
        ("", answered),
        ("-1", answered),
    ] {
        assert_eq!(class(&[grpc, ("grpc-status", code)]), expected, "{code:?}");
    }
    assert_eq!(class(&[("content-type", "text/html"), ("grpc-status", "14")]), answered);
    let after = ("grpc-retry-pushback-ms", "250");
    let refused = ("resilience-effect", "refused");
    for (code, kind) in [("8", FailureKind::Throttled), ("14", FailureKind::Transient)] {
        let class = class(&[grpc, ("grpc-status", code), after, refused]);
        assert_eq!((class.kind, class.after), (kind, Some(AFTER)));
        assert_eq!(class.effect, Effect::Refused);
    }
    let never = ("grpc-retry-pushback-ms", "-1");
    assert_eq!(class(&[grpc, ("grpc-status", "14"), never]), FailureClass::permanent());
}

#[test]
fn the_transport_error_decides() {
    let refused = ConnectError(io::Error::from(ErrorKind::ConnectionRefused).into());
    let class = classify(&caused_by(Code::Unavailable, refused));
    assert_eq!(class, FailureClass::transient().effect(Effect::NotSent));
    let untrusted = io::Error::new(ErrorKind::InvalidData, "invalid peer certificate");
    let class = classify(&caused_by(Code::Unavailable, ConnectError(untrusted.into())));
    assert_eq!(class, FailureClass::permanent().effect(Effect::NotSent));
    let reset = || io::Error::from(ErrorKind::ConnectionReset);
    for code in [Code::Unknown, Code::Internal, Code::Unavailable] {
        assert_eq!(classify(&caused_by(code, reset())), FailureClass::transient(), "{code:?}");
    }
    assert_eq!(classify(&caused_by(Code::DataLoss, reset())), FailureClass::permanent());
    let calm = caused_by(Code::ResourceExhausted, h2::Error::from(h2::Reason::ENHANCE_YOUR_CALM));
    assert_eq!(classify(&calm), FailureClass::permanent()); // a local error, not a remote error
}

#[test]
fn a_rejection_survives_the_conversion_to_a_status() {
    for (kind, code) in [
        (RejectedKind::CircuitOpen, Code::Unavailable),
        (RejectedKind::BulkheadFull, Code::Unavailable),
        (RejectedKind::RateLimited, Code::ResourceExhausted),
    ] {
        let rejected = Rejected::new(kind, "function", Some(Duration::from_micros(1500)));
        let status = Status::from(rejected.clone());
        assert_eq!(status.code(), code);
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").expect("a time"), "2");
        assert_eq!(classify(&status), rejected.classify());
    }
    let status = Status::from(Rejected::timed_out("function", AFTER));
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.metadata().get("resilience-effect").expect("an effect"), "unknown");
    assert_eq!(classify(&status).kind, FailureKind::Transient);
}

#[test]
fn every_idempotency_rejection_has_a_code() {
    use IdempotencyRejection::*;
    for (reason, code) in [
        (MissingKey, Code::InvalidArgument),
        (InvalidKey, Code::InvalidArgument),
        (KeyReused, Code::FailedPrecondition),
        (InFlight, Code::Aborted),
        (OutcomeUnknown, Code::Internal),
        (LeaseLost, Code::Aborted),
        (Undecodable, Code::Internal),
        (NotStored, Code::Internal),
        (StoreUnavailable, Code::Unavailable),
    ] {
        let rejected = Rejected::new(reason.into(), "function", None);
        let status = Status::from(rejected.clone());
        assert_eq!((status.code(), status.message()), (code, &*reason.to_string()));
        assert_eq!(classify(&status), rejected.classify());
    }
}

#[test]
fn retry_uses_the_class_of_a_status() {
    #[retry(on = classify, idempotent = false)]
    fn call(calls: &mut u32, code: Code) -> Result<(), Status> {
        *calls += 1;
        Err(pushback(code, "1"))
    }
    let _guard = testing::no_waits();
    let mut calls = 0;
    assert!(call(&mut calls, Code::Unavailable).is_err());
    assert_eq!(calls, 1);
}
