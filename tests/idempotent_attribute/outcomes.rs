//! What is stored, for how long, and how a claim ends otherwise.

use std::time::Duration;

use resilience::idempotent::{Keep, MemoryStore};
use resilience::{IdempotencyRejection, RejectedKind, idempotent, testing};

use crate::{Answer, Failure, Runs, meaning, turned};

/// One answer after the other.
fn answers(answers: &[Answer], at: u32) -> Answer {
    answers[at as usize - 1].clone()
}

#[test]
fn successes_are_kept_and_failures_are_not() {
    #[idempotent(key = id, scope = "global", on = meaning, name = "outcomes.ok")]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        answers(&[Err(Failure::Declined), Err(Failure::Lost), Ok(3)], runs.next())
    }
    let runs = Runs::default();
    let call = || call(1, &runs);
    assert_eq!([call(), call()], [Err(Failure::Declined), Err(Failure::Lost)]);
    assert_eq!([call(), call(), call()], [Ok(3), Ok(3), Ok(3)]);
}

#[test]
fn permanent_failures_are_kept_where_that_is_said() {
    #[idempotent(
        key = id,
        scope = "global",
        keep = "ok_and_permanent",
        on = meaning,
        name = "outcomes.permanent"
    )]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        answers(&[Err(Failure::Lost), Err(Failure::Refused), Err(Failure::Declined)], runs.next())
    }
    let runs = Runs::default();
    let call = || call(1, &runs);
    assert_eq!([call(), call()], [Err(Failure::Lost), Err(Failure::Refused)]);
    assert_eq!([call(), call()], [Err(Failure::Declined), Err(Failure::Declined)]);
    assert_eq!(runs.count(), 3);
}

#[test]
fn nothing_is_kept_but_that_it_was() {
    /// Cannot be written down.
    #[derive(Debug, PartialEq)]
    struct Handle;
    #[idempotent(key = id, scope = "global", keep = "nothing", name = "outcomes.nothing")]
    fn call(id: u32, #[skip] runs: &Runs) -> Result<Handle, Failure> {
        if runs.next() == 1 { Err(Failure::Lost) } else { Ok(Handle) }
    }
    let runs = Runs::default();
    let call = || call(1, &runs);
    assert_eq!([call(), call()], [Err(Failure::Lost), Ok(Handle)]);
    assert_eq!(
        call(),
        Err(Failure::Turned(RejectedKind::Idempotency(IdempotencyRejection::NotStored)))
    );
    assert_eq!(runs.count(), 2);
}

#[test]
fn a_function_says_what_is_kept() {
    fn decide(out: &Answer) -> Keep {
        match out {
            Ok(1) => Keep::Release,
            Ok(2) => Keep::Abandon,
            _ => Keep::Store,
        }
    }
    #[idempotent(
        key = id,
        scope = "global",
        keep = with(decide),
        on_interrupted = "unknown",
        name = "outcomes.with"
    )]
    fn call(id: u32, first: u32, #[skip] runs: &Runs) -> Answer {
        match first + runs.next() {
            3 => Err(Failure::Lost),
            sum => Ok(sum),
        }
    }
    let runs = Runs::default();
    assert_eq!(call(1, 0, &runs), Ok(1));
    assert_eq!(call(1, 0, &runs), Ok(2), "the first was released");
    assert_eq!(
        call(1, 0, &runs),
        turned(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)),
        "the second was not"
    );
    assert_eq!(call(2, 0, &runs), Err(Failure::Lost));
    assert_eq!(call(2, 0, &runs), Err(Failure::Lost), "a failure, stored");
    assert_eq!(runs.count(), 3);
}

#[test]
fn what_failed_without_an_effect_is_free_and_what_may_have_had_one_is_not() {
    #[idempotent(
        key = id,
        scope = "global",
        on = meaning,
        on_interrupted = "unknown",
        name = "outcomes.sent"
    )]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        answers(&[Err(Failure::Refused), Err(Failure::Lost), Ok(3)], runs.next())
    }
    let runs = Runs::default();
    let call = || call(1, &runs);
    assert_eq!([call(), call()], [Err(Failure::Refused), Err(Failure::Lost)]);
    assert_eq!(
        [call(), call()],
        [
            turned(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)),
            turned(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
        ]
    );
    assert_eq!(runs.count(), 2);
}

#[test]
fn an_outcome_is_kept_from_its_completion_for_as_long_as_is_said() {
    #[idempotent(key = id, scope = "global", ttl = "1h", name = "outcomes.ttl")]
    fn call(id: u32, #[skip] runs: &Runs, #[skip] clock: &testing::Clock) -> Answer {
        clock.advance(Duration::from_secs(1800));
        Ok(runs.next())
    }
    let (clock, _state, runs) = (testing::clock(), testing::fresh_state(), Runs::default());
    assert_eq!(call(1, &runs, &clock), Ok(1));
    clock.advance(Duration::from_secs(3599));
    assert_eq!(call(1, &runs, &clock), Ok(1));
    clock.advance(Duration::from_secs(1));
    assert_eq!(call(1, &runs, &clock), Ok(2));
}

#[test]
fn another_version_does_not_read_it() {
    static STORE: MemoryStore = MemoryStore::new();
    #[idempotent(store = STORE, key = id, scope = "global", name = "outcomes.version")]
    fn first(id: u32) -> Answer {
        Ok(1)
    }
    #[idempotent(store = STORE, key = id, scope = "global", version = 2, name = "outcomes.version")]
    fn second(id: u32) -> Result<String, Failure> {
        Ok("2".into())
    }
    assert_eq!(
        (first(1), second(1)),
        (Ok(1), Err(Failure::Turned(RejectedKind::Idempotency(IdempotencyRejection::Undecodable))))
    );
}

#[test]
fn an_outcome_that_is_too_long_is_known_to_have_been() {
    #[idempotent(key = id, scope = "global", max_outcome = 8, name = "outcomes.long")]
    fn call(id: u32, #[skip] runs: &Runs, text: &str) -> Result<String, Failure> {
        runs.next();
        Ok(text.to_owned())
    }
    let runs = Runs::default();
    let long = |id, text| call(id, &runs, text);
    assert_eq!((long(1, "short"), long(1, "short")), (Ok("short".into()), Ok("short".into())));
    assert_eq!(long(2, "longer than that"), Ok("longer than that".into()));
    assert_eq!(
        long(2, "longer than that"),
        Err(Failure::Turned(RejectedKind::Idempotency(IdempotencyRejection::NotStored)))
    );
    assert_eq!(runs.count(), 2);
}

#[test]
fn a_store_that_is_full_turns_away_or_lets_run() {
    static FULL: MemoryStore = MemoryStore::new().max_records(0);
    #[idempotent(store = FULL, key = id, scope = "global", name = "outcomes.closed")]
    fn closed(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    #[idempotent(
        store = FULL,
        key = id,
        scope = "global",
        on_store_error = "fail_open",
        name = "outcomes.open"
    )]
    fn open(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!(
        closed(1, &runs),
        turned(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    );
    assert_eq!(runs.count(), 0);
    assert_eq!((open(1, &runs), open(1, &runs)), (Ok(1), Ok(2)));
}

#[test]
fn an_error_of_another_crate_is_made() {
    #[idempotent(
        key = id,
        scope = "global",
        error = |rejected| rejected.to_string(),
        name = "outcomes.error"
    )]
    fn call(id: Option<u32>) -> Result<u32, String> {
        id.ok_or_else(String::new)
    }
    assert_eq!(call(Some(1)), Ok(1));
    let message = call(None).expect_err("no key");
    assert_eq!(message, "outcomes.error: idempotency key missing");
}
