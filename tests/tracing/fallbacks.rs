//! `#[fallback]` reports the failure that it replaces.

use resilience::{
    Classify, Effect, FailureClass, FailureKind, FallbackEvent, FallbackReason, Rejected, fallback,
    rate_limit,
};

use crate::{Mute, Shy, logged};

#[derive(Debug, PartialEq)]
enum Failure {
    NotFound,
    Rejected,
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

impl Classify for Failure {
    fn classify(&self) -> FailureClass {
        match self {
            Self::NotFound => FailureClass::permanent().effect(Effect::Refused),
            Self::Rejected => {
                Rejected::new(resilience::RejectedKind::RateLimited, "limit", None).classify()
            }
        }
    }
}

#[test]
fn the_event_has_the_error_its_class_and_the_reason() {
    #[fallback(value = 7)]
    #[rate_limit(rate = 1, per = "1m")]
    fn call() -> Result<u32, Failure> {
        Err(Failure::NotFound)
    }
    let log = logged(|| assert_eq!((call(), call()), (Ok(7), Ok(7))));
    assert_eq!(
        log,
        [
            "INFO fallback used error=NotFound kind=Permanent effect=Refused reason=\"error\"",
            "DEBUG call rejected: rate limit reached kind=\"rate_limited\" retry_after_ms=60000",
            "INFO fallback used error=Rejected kind=Throttled effect=NotSent reason=\"rejected\"",
        ]
    );
}

#[test]
fn the_event_of_a_declined_value_has_no_error() {
    #[fallback(value = 7, on_ok = |value| *value == 0)]
    fn call() -> Result<u32, Shy> {
        Ok(0)
    }
    assert_eq!(
        logged(|| assert_eq!(call(), Ok(7))),
        ["INFO fallback used error= kind=Transient effect=Unknown reason=\"value\""]
    );
}

#[test]
fn the_class_is_that_of_a_predicate_that_gives_a_class() {
    #[fallback(value = 7, on = |_| FailureClass::throttled(None))]
    fn call() -> Result<u32, Failure> {
        Err(Failure::NotFound)
    }
    let log = logged(|| assert_eq!(call(), Ok(7)));
    assert!(log.concat().contains("kind=Throttled"), "{log:?}");
}

#[test]
fn errors_of_any_type_have_a_fallback_with_an_event() {
    #[fallback(value = 7)]
    fn mute() -> Result<u32, Mute> {
        Err(Mute)
    }
    #[fallback(value = 7)]
    fn generic<E>(error: E) -> Result<u32, E> {
        Err(error)
    }
    #[fallback(value = 7)]
    fn option() -> Option<u32> {
        None
    }
    let log = logged(|| {
        assert_eq!(mute().ok(), Some(7));
        assert_eq!(generic(Shy), Ok(7));
        assert_eq!(option(), Some(7));
    });
    assert_eq!(log.len(), 3, "{log:?}");
}

#[test]
fn the_level_is_configurable() {
    #[fallback(value = 7, log = "error")]
    fn error() -> Result<u32, Shy> {
        Err(Shy)
    }
    #[fallback(value = 7, log = "warn")]
    async fn warn() -> Result<u32, Shy> {
        Err(Shy)
    }
    #[fallback(value = 7, log = "debug", on_ok = |_| true)]
    fn debug() -> Result<u32, Shy> {
        Ok(0)
    }
    #[fallback(value = 7, log = "off")]
    fn off() -> Result<u32, Shy> {
        Err(Shy)
    }
    let log = logged(|| {
        assert_eq!(error(), Ok(7));
        assert_eq!(futures::executor::block_on(warn()), Ok(7));
        assert_eq!((debug(), off()), (Ok(7), Ok(7)));
    });
    let levels: Vec<_> = log.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(levels, ["ERROR", "WARN", "DEBUG"]);
}

/// Without a log event, the hook runs nevertheless.
#[test]
fn the_hook_gets_the_error_before_the_replacement() {
    #[fallback(with = |_| seen.len(), log = "off", name = "hooked", on_fallback = |event| {
        let FallbackEvent { name, error, class, reason, .. } = event;
        assert_eq!((*name, *error), ("hooked", Some(&Failure::NotFound)));
        assert_eq!((class.kind, *reason), (FailureKind::Permanent, FallbackReason::Error));
        seen.push(reason.to_string());
    })]
    fn call(seen: &mut Vec<String>) -> Result<usize, Failure> {
        let _ = seen;
        Err(Failure::NotFound)
    }
    let mut seen = Vec::new();
    assert!(logged(|| assert_eq!(call(&mut seen), Ok(1))).is_empty());
    assert_eq!(seen, ["error"]);
}
