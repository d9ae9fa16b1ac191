//! `tonic::Status`, and what stands behind one.

use core::time::Duration;
use std::error::Error;

use resilience_core::__internal::error_sources;
use resilience_core::{Classify, Effect, FailureClass, FailureKind, Rejected};
use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use super::connect::unconnected;
use crate::classifier::Classifier;
use crate::error::known;
use crate::retry_after::digits;

pub(super) fn class(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    if let Some(status) = error.downcast_ref() {
        return Some(of_status(rules, status));
    }
    error.downcast_ref::<ConnectError>().map(|error| unconnected(error.source()))
}

fn of_status(rules: &Classifier, status: &Status) -> FailureClass {
    // A call that was turned away in this process.
    let rejected = status
        .source()
        .and_then(|source| error_sources(source).find_map(<dyn Error>::downcast_ref));
    if let Some(rejected) = rejected {
        return Rejected::classify(rejected);
    }
    let asked = match pushback(status) {
        Pushback::Never => return FailureClass::permanent(),
        Pushback::After(delay) => Some(delay),
        Pushback::Unsaid => status.get_details_retry_info().and_then(|info| info.retry_delay),
    };
    let transport = status.source().and_then(|source| known(rules, source));
    // A certificate that is not trusted is permanent, but says for certain that nothing was sent.
    let transport =
        transport.filter(|it| it.kind != FailureKind::Permanent || it.effect == Effect::NotSent);
    let class = match (status.code(), transport) {
        (
            Code::Unavailable | Code::ResourceExhausted | Code::Internal | Code::Unknown,
            Some(it),
        ) => it,
        (Code::Unavailable, None) => FailureClass::transient(),
        (Code::ResourceExhausted, None) if asked.is_some() || rules.resource_exhausted => {
            FailureClass::throttled(None)
        }
        _ => FailureClass::permanent(),
    };
    match asked {
        Some(delay) if class.kind != FailureKind::Permanent => class.after(delay),
        _ => class,
    }
}

/// What a server says of another attempt, in `grpc-retry-pushback-ms`.
enum Pushback {
    Unsaid,
    After(Duration),
    /// A negative number, or none at all.
    Never,
}

fn pushback(status: &Status) -> Pushback {
    let Some(value) = status.metadata().get("grpc-retry-pushback-ms") else {
        return Pushback::Unsaid;
    };
    let millis = digits(value.as_encoded_bytes());
    millis.map_or(Pushback::Never, |millis| Pushback::After(Duration::from_millis(millis)))
}
