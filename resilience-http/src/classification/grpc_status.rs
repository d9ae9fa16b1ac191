//! Classification of gRPC codes, and of responses with the code in the headers.

use core::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use resilience_core::__internal::{EFFECT_METADATA, effect_of_metadata};
use resilience_core::{Effect, FailureClass, FailureKind};

use super::classifier::Classifier;
use super::retry_after::parse_digits;
use crate::protocol::Protocol;

/// `RESOURCE_EXHAUSTED`
const RESOURCE_EXHAUSTED: u64 = 8;
/// `ABORTED`
const ABORTED: u64 = 10;
/// `UNAVAILABLE`
const UNAVAILABLE: u64 = 14;

/// The key of the delay in the metadata.
pub(crate) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The facts that a server adds to a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metadata {
    pub(crate) pushback: Pushback,
    pub(crate) effect: Option<Effect>,
}

/// The value of `grpc-retry-pushback-ms`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pushback {
    Absent,
    After(Duration),
    /// A negative number, or a malformed value: the server forbids a retry.
    Never,
}

impl Metadata {
    /// Reads the metadata; `value` returns the value of a key.
    pub(crate) fn read<'m>(value: impl Fn(&'static str) -> Option<&'m [u8]>) -> Self {
        let pushback = value(PUSHBACK).map_or(Pushback::Absent, |value| {
            parse_digits(value)
                .map_or(Pushback::Never, |millis| Pushback::After(Duration::from_millis(millis)))
        });
        Self { pushback, effect: value(EFFECT_METADATA).and_then(effect_of_metadata) }
    }

    /// Returns the class of a code. `other_delay` is a delay from another place, and `transport`
    /// the class of a failed connection.
    pub(crate) fn classify(
        self,
        rules: &Classifier,
        code: u64,
        other_delay: Option<Duration>,
        transport: Option<FailureClass>,
    ) -> FailureClass {
        let delay = match self.pushback {
            Pushback::Never => return FailureClass::permanent(),
            Pushback::After(delay) => Some(delay),
            Pushback::Absent => other_delay,
        };
        let class = match code {
            _ if transport.is_some() => transport.unwrap_or(FailureClass::permanent()),
            UNAVAILABLE => FailureClass::transient(),
            RESOURCE_EXHAUSTED if delay.is_some() || rules.resource_exhausted => {
                FailureClass::throttled(None)
            }
            // An idempotent endpoint whose first request is still running.
            ABORTED if delay.is_some() && self.effect == Some(Effect::Refused) => {
                FailureClass::throttled(None)
            }
            _ => FailureClass::permanent(),
        };
        let class = self.effect.map_or(class, |effect| class.effect(effect));
        match delay {
            Some(delay) if class.kind != FailureKind::Permanent => class.after(delay),
            _ => class,
        }
    }
}

/// Returns the class of a response without a message, whose headers have the code: the form in
/// which a server answers a call that fails before the first message. Returns `None` for any other
/// response, and for the code `OK`.
pub(crate) fn classify_headers(rules: &Classifier, headers: &HeaderMap) -> Option<FailureClass> {
    const STATUS: HeaderName = HeaderName::from_static("grpc-status");
    let value = |name| headers.get(name).map(HeaderValue::as_bytes);
    let code = parse_digits(headers.get(STATUS)?.as_bytes()).filter(|code| *code != 0)?;
    let is_grpc = Protocol::of(headers).is_grpc();
    is_grpc.then(|| Metadata::read(value).classify(rules, code, None, None))
}
