//! `tonic::Status` and the source of a status.

use core::time::Duration;
use std::error::Error;

use resilience_core::__internal::{EFFECT_METADATA, effect_of_metadata, error_sources};
use resilience_core::{Classify, Effect, FailureClass, FailureKind, Rejected};
use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use super::connect::connect_error;
use crate::classification::Classifier;
use crate::classification::error::first_known;
use crate::classification::retry_after::parse_digits;

pub(super) fn classify(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    if let Some(status) = error.downcast_ref() {
        return Some(classify_status(rules, status));
    }
    error.downcast_ref::<ConnectError>().map(|error| connect_error(error.source()))
}

fn classify_status(rules: &Classifier, status: &Status) -> FailureClass {
    // The call was rejected in this process.
    let rejected = status
        .source()
        .and_then(|source| error_sources(source).find_map(<dyn Error>::downcast_ref));
    if let Some(rejected) = rejected {
        return Rejected::classify(rejected);
    }
    let delay = match pushback(status) {
        Pushback::Never => return FailureClass::permanent(),
        Pushback::After(delay) => Some(delay),
        Pushback::Absent => status.get_details_retry_info().and_then(|info| info.retry_delay),
    };
    let transport = status.source().and_then(|source| first_known(rules, source));
    // An untrusted certificate is permanent, and also proves "not sent".
    let transport =
        transport.filter(|it| it.kind != FailureKind::Permanent || it.effect == Effect::NotSent);
    let effect = status.metadata().get(EFFECT_METADATA);
    let effect = effect.and_then(|value| effect_of_metadata(value.as_encoded_bytes()));
    let class = match (status.code(), transport) {
        (
            Code::Unavailable | Code::ResourceExhausted | Code::Internal | Code::Unknown,
            Some(it),
        ) => it,
        (Code::Unavailable, None) => FailureClass::transient(),
        (Code::ResourceExhausted, None) if delay.is_some() || rules.resource_exhausted => {
            FailureClass::throttled(None)
        }
        // An idempotent endpoint whose first request is still running.
        (Code::Aborted, None) if delay.is_some() && effect == Some(Effect::Refused) => {
            FailureClass::throttled(None)
        }
        _ => FailureClass::permanent(),
    };
    let class = effect.map_or(class, |effect| class.effect(effect));
    match delay {
        Some(delay) if class.kind != FailureKind::Permanent => class.after(delay),
        _ => class,
    }
}

/// The value of `grpc-retry-pushback-ms`.
enum Pushback {
    Absent,
    After(Duration),
    /// A negative number, or a malformed value: the server forbids a retry.
    Never,
}

fn pushback(status: &Status) -> Pushback {
    let Some(value) = status.metadata().get("grpc-retry-pushback-ms") else {
        return Pushback::Absent;
    };
    let millis = parse_digits(value.as_encoded_bytes());
    millis.map_or(Pushback::Never, |millis| Pushback::After(Duration::from_millis(millis)))
}
