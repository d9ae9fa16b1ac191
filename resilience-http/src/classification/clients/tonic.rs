//! `tonic::Status` and the source of a status.

use std::error::Error;

use resilience_core::__internal::{downcast, error_sources};
use resilience_core::{Classify, Effect, FailureClass, FailureKind, Rejected};
use tonic::metadata::MetadataValue;
use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use super::connect::connect_error;
use crate::classification::Classifier;
use crate::classification::error::first_known;
use crate::classification::grpc_status::Metadata;

pub(super) fn classify(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    if let Some(status) = downcast(error) {
        return Some(classify_status(rules, status));
    }
    downcast::<ConnectError>(error).map(|error| connect_error(error.source()))
}

fn classify_status(rules: &Classifier, status: &Status) -> FailureClass {
    // The call was rejected in this process.
    let rejected = status
        .source()
        .and_then(|source| error_sources(source).find_map(<dyn Error>::downcast_ref));
    if let Some(rejected) = rejected {
        return Rejected::classify(rejected);
    }
    let retry_info = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let transport = status.source().and_then(|source| first_known(rules, source));
    // An untrusted certificate is permanent, and also proves "not sent".
    let transport = transport
        .filter(|it| it.kind != FailureKind::Permanent || it.effect == Effect::NotSent)
        .filter(|_| {
            use Code::{Internal, ResourceExhausted, Unavailable, Unknown};
            matches!(status.code(), Unavailable | ResourceExhausted | Internal | Unknown)
        });
    let code = u64::try_from(i32::from(status.code())).unwrap_or_default();
    let value =
        |name: &'static str| status.metadata().get(name).map(MetadataValue::as_encoded_bytes);
    Metadata::read(value).classify(rules, code, retry_info, transport)
}
