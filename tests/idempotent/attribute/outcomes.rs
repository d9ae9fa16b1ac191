//! Stored outcomes, their time to live, and released claims.

use std::time::Duration;

use resilience::idempotent::{Disposition, MemoryStore};
use resilience::{IdempotencyRejection, RejectedKind, idempotent, testing};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Answer, Failure, Runs, classify, rejected_as};

/// Returns the answer for a run, by its number.
fn answers(answers: &[Answer], at: u32) -> Answer {
    answers[at as usize - 1].clone()
}

#[test]
fn successes_are_stored_and_failures_are_not() {
    #[idempotent(key = id, scope = "global", on = classify, name = "outcomes.ok")]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        answers(&[Err(Failure::Declined), Err(Failure::Lost), Ok(3)], runs.next())
    }
    let runs = Runs::default();
    let call = || call(1, &runs);
    assert_eq!([call(), call()], [Err(Failure::Declined), Err(Failure::Lost)]);
    assert_eq!([call(), call(), call()], [Ok(3), Ok(3), Ok(3)]);
}

#[test]
fn keep_ok_and_permanent_stores_permanent_failures() {
    #[idempotent(
        key = id,
        scope = "global",
        keep = "ok_and_permanent",
        on = classify,
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

/// JSON has one `null`, and no infinite number. A repeated call must not receive another outcome.
#[test]
fn an_outcome_that_json_would_change_is_not_returned() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Patch {
        /// `Some(None)` removes the limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[expect(clippy::option_option, reason = "the form of a patch")]
        limit: Option<Option<u32>>,
    }
    macro_rules! outcomes {
        ($keep:literal, $name:literal, $([$value:expr, $is_returned:expr]),* $(,)?) => {
            $({
                #[idempotent(key = 1, scope = "global", keep = $keep, name = $name)]
                fn call<T>(#[skip] value: T, #[skip] runs: &Runs) -> Result<T, Failure>
                where
                    T: Serialize + DeserializeOwned,
                {
                    runs.next();
                    Ok(value)
                }
                let (_state, runs) = (testing::fresh_state(), Runs::default());
                assert_eq!(call($value, &runs), Ok($value));
                let undecodable = RejectedKind::Idempotency(IdempotencyRejection::Undecodable);
                let expected =
                    if $is_returned { Ok($value) } else { Err(Failure::Rejected(undecodable)) };
                assert_eq!((call($value, &runs), runs.count()), (expected, 1));
            })*
        };
    }
    outcomes!(
        "ok",
        "outcomes.changed",
        [Some(()), false],
        [None::<()>, true],
        [Some(None::<u8>), false],
        [Some(Some(7)), true],
        [Patch { limit: Some(None) }, false],
        [Patch { limit: None }, true],
        [Some(f64::INFINITY), false],
        [vec![Some(f32::MIN), None], true],
        [(), true],
    );
    outcomes!(
        "ok_and_permanent",
        "outcomes.changed_too",
        [Some(()), false],
        [Some(Some(7)), true],
        [(1, [Some(f64::INFINITY)]), false],
    );
}

#[test]
fn keep_nothing_stores_the_completion_only() {
    /// A value that cannot be serialized.
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
        Err(Failure::Rejected(RejectedKind::Idempotency(IdempotencyRejection::NotStored)))
    );
    assert_eq!(runs.count(), 2);
}

#[test]
fn keep_with_stores_by_a_function() {
    fn decide(out: &Answer) -> Disposition {
        match out {
            Ok(1) => Disposition::Release,
            Ok(2) => Disposition::Abandon,
            _ => Disposition::Store,
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
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)),
        "the second was not"
    );
    assert_eq!(call(2, 0, &runs), Err(Failure::Lost));
    assert_eq!(call(2, 0, &runs), Err(Failure::Lost), "the stored failure");
    assert_eq!(runs.count(), 3);
}

#[test]
fn a_failure_without_an_effect_releases_the_claim() {
    #[idempotent(
        key = id,
        scope = "global",
        on = classify,
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
            rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)),
            rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
        ]
    );
    assert_eq!(runs.count(), 2);
}

#[test]
fn the_ttl_of_an_outcome_begins_at_its_completion() {
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
fn an_outcome_of_another_version_is_rejected() {
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
        (
            Ok(1),
            Err(Failure::Rejected(RejectedKind::Idempotency(IdempotencyRejection::Undecodable)))
        )
    );
}

#[test]
fn a_long_outcome_is_recorded_without_its_body() {
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
        Err(Failure::Rejected(RejectedKind::Idempotency(IdempotencyRejection::NotStored)))
    );
    assert_eq!(runs.count(), 2);
}

#[test]
fn a_full_store_rejects_or_runs_unprotected() {
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
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    );
    assert_eq!(runs.count(), 0);
    assert_eq!((open(1, &runs), open(1, &runs)), (Ok(1), Ok(2)));
}

#[test]
fn an_error_type_without_conversion_is_created_by_error() {
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
