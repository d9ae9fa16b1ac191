//! `#[derive(Classify)]`.

use std::time::Duration;

use resilience::{Class, Classify, Kind, Sent};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Classify)]
#[allow(dead_code, reason = "fields beside the one that counts")]
enum Every {
    #[transient]
    Unit,
    #[transient(sent = "refused")]
    Tuple(u32, String),
    #[throttled]
    Throttled,
    #[throttled(after)]
    Named { code: u16, after: Duration },
    #[throttled(1, sent = "no")]
    Numbered(u16, Option<Duration>),
    #[permanent(sent = "done")]
    Done,
    #[forward]
    Inner(Inner),
    #[forward(source)]
    Wrapped { context: &'static str, source: Box<Inner> },
}

#[derive(Classify)]
#[permanent]
#[allow(dead_code, reason = "only what has a word of its own is built")]
enum Inner {
    Corrupt,
    #[transient]
    Locked {
        by: u32,
    },
}

impl<T: Classify> Classify for Wrapper<T> {
    fn classify(&self) -> Class {
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

impl Classify for Box<Inner> {
    fn classify(&self) -> Class {
        (**self).classify()
    }
}

#[test]
fn every_word() {
    for (error, expected) in [
        (Every::Unit, Class::transient()),
        (Every::Tuple(1, String::new()), Class::transient().sent(Sent::Refused)),
        (Every::Throttled, Class::throttled(None)),
        (Every::Named { code: 1, after: SECOND }, Class::throttled(Some(SECOND))),
        (Every::Numbered(1, Some(SECOND)), Class::throttled(Some(SECOND)).sent(Sent::No)),
        (Every::Numbered(1, None), Class::throttled(None).sent(Sent::No)),
        (Every::Done, Class::permanent().sent(Sent::Done)),
        (Every::Inner(Inner::Corrupt), Class::permanent()),
        (Every::Inner(Inner::Locked { by: 1 }), Class::transient()),
        (
            Every::Wrapped { context: "", source: Box::new(Inner::Locked { by: 1 }) },
            Class::transient(),
        ),
    ] {
        assert_eq!(error.classify(), expected);
    }
}

#[test]
fn generics_and_structs() {
    let known: Generic<Inner, ()> = Generic::Known(Wrapper(Inner::Corrupt));
    assert_eq!(known.classify().kind, Kind::Permanent);
    assert_eq!(Generic::<Inner, ()>::Unknown(()).classify().kind, Kind::Transient);
    assert_eq!(Busy { after: Some(SECOND) }.classify(), Class::throttled(Some(SECOND)));
    let never: fn(&Never) -> Class = Never::classify;
    let _ = never;
}
