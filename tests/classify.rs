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
