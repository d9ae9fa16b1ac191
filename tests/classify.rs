//! `#[derive(Classify)]`: each helper attribute, generic enums and structs.

use std::time::Duration;

use resilience::{Classify, Effect, FailureClass, FailureKind};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Classify)]
#[allow(dead_code, reason = "fields that no class depends on")]
enum Every {
    #[transient]
    Unit,
    #[transient(effect = "refused")]
    Tuple(u32, String),
    #[throttled]
    Throttled,
    #[throttled(after)]
    Named { code: u16, after: Duration },
    #[throttled(1, effect = "not_sent")]
    Numbered(u16, Option<Duration>),
    #[permanent(effect = "applied")]
    Done,
    #[forward]
    Inner(Inner),
    #[forward(source)]
    Wrapped { context: &'static str, source: Box<Inner> },
}

#[derive(Classify)]
#[permanent]
#[allow(dead_code, reason = "only some variants are built")]
enum Inner {
    Corrupt,
    #[transient]
    Locked {
        by: u32,
    },
}

impl<T: Classify> Classify for Wrapper<T> {
    fn classify(&self) -> FailureClass {
        self.0.classify()
    }
}

struct Wrapper<T>(T);

#[derive(Classify)]
enum Generic<T, E>
where
    E: std::fmt::Debug,
{
    #[forward]
    Known(Wrapper<T>),
    #[transient]
    Unknown(E),
}

/// The error of another crate, without a classification.
#[derive(Debug)]
struct Foreign(u16);

fn by_status(error: &Foreign) -> FailureClass {
    match error.0 {
        429 => FailureClass::throttled(None),
        503 => FailureClass::transient().effect(Effect::Refused),
        _ => FailureClass::permanent(),
    }
}

#[derive(Classify)]
enum Wrapping<T> {
    #[forward(with = by_status)]
    Path(Foreign),
    #[forward(with = |error| error.0 >= 500)]
    Closure(Foreign),
    #[forward(source, with = by_status, after = retry_after)]
    Delayed { source: Foreign, retry_after: Option<Duration> },
    #[forward(0, after = 1)]
    Class(FailureClass, Duration),
    #[forward(with = |_| FailureClass::permanent())]
    Parameter(T),
    #[forward(with = resilience::stores::sqlx::classify)]
    Database(sqlx::Error),
    #[forward(with = resilience::http::classify)]
    Http(std::io::Error),
}

#[derive(Classify)]
#[forward]
struct Stored {
    class: FailureClass,
}

/// A default with a function, for the variants without an attribute.
#[derive(Classify)]
#[forward(with = by_status)]
enum Default {
    One(Foreign),
    #[permanent]
    Two,
}

#[test]
fn a_function_classifies_the_error_of_another_crate() {
    type Error = Wrapping<Foreign>;
    let busy = FailureClass::throttled(None);
    let not_sent = FailureClass::transient().effect(Effect::NotSent);
    let delayed = |retry_after| Error::Delayed { source: Foreign(429), retry_after };
    for (error, expected) in [
        (Error::Path(Foreign(429)), busy),
        (Error::Path(Foreign(503)), FailureClass::transient().effect(Effect::Refused)),
        (Error::Closure(Foreign(503)), FailureClass::transient()),
        (Error::Closure(Foreign(404)), FailureClass::permanent()),
        (delayed(None), busy),
        (delayed(Some(SECOND)), FailureClass::throttled(Some(SECOND))),
        (Error::Class(not_sent, SECOND), not_sent.after(SECOND)),
        (Error::Parameter(Foreign(1)), FailureClass::permanent()),
        (Error::Database(sqlx::Error::PoolTimedOut), not_sent),
        (Error::Http(std::io::ErrorKind::ConnectionRefused.into()), not_sent),
    ] {
        assert_eq!(error.classify(), expected);
    }
    assert_eq!(Stored { class: not_sent }.classify(), not_sent);
    assert_eq!(Default::One(Foreign(429)).classify(), busy);
    assert_eq!(Default::Two.classify(), FailureClass::permanent());
}

#[derive(Classify)]
#[throttled(after)]
struct Busy {
    after: Option<Duration>,
}

#[derive(Classify)]
enum Never {}

#[test]
fn every_helper_attribute_gives_its_class() {
    for (error, expected) in [
        (Every::Unit, FailureClass::transient()),
        (Every::Tuple(1, String::new()), FailureClass::transient().effect(Effect::Refused)),
        (Every::Throttled, FailureClass::throttled(None)),
        (Every::Named { code: 1, after: SECOND }, FailureClass::throttled(Some(SECOND))),
        (
            Every::Numbered(1, Some(SECOND)),
            FailureClass::throttled(Some(SECOND)).effect(Effect::NotSent),
        ),
        (Every::Numbered(1, None), FailureClass::throttled(None).effect(Effect::NotSent)),
        (Every::Done, FailureClass::permanent().effect(Effect::Applied)),
        (Every::Inner(Inner::Corrupt), FailureClass::permanent()),
        (Every::Inner(Inner::Locked { by: 1 }), FailureClass::transient()),
        (
            Every::Wrapped { context: "", source: Box::new(Inner::Locked { by: 1 }) },
            FailureClass::transient(),
        ),
    ] {
        assert_eq!(error.classify(), expected);
    }
}

#[test]
fn generic_enums_and_structs_are_classified() {
    let known: Generic<Inner, ()> = Generic::Known(Wrapper(Inner::Corrupt));
    assert_eq!(known.classify().kind, FailureKind::Permanent);
    assert_eq!(Generic::<Inner, ()>::Unknown(()).classify().kind, FailureKind::Transient);
    assert_eq!(Busy { after: Some(SECOND) }.classify(), FailureClass::throttled(Some(SECOND)));
    let never: fn(&Never) -> FailureClass = Never::classify;
    let _ = never;
}
