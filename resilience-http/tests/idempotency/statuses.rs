//! Which answers are stored.

use axum::Extension;
use axum::http::StatusCode;
use resilience::Effect;
use resilience::http::{IdempotencyLayer, StorePolicy};
use resilience::idempotent::{Disposition, OnInterrupted};

use crate::{Memory, api, ask, layer, post};

/// What a second request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Replay,
    Run,
    Unknown,
}
use Again::{Replay, Run, Unknown};

async fn again(layer: IdempotencyLayer<Memory>, status: u16, sent: Option<Effect>) -> Again {
    let status = StatusCode::from_u16(status).expect("a status");
    let (api, runs) = api(layer, move |_| (status, sent.map(Extension), "said"));
    let first = ask(&api, post("k")).await;
    assert_eq!(first.status, status.as_u16());
    let second = ask(&api, post("k")).await;
    match (runs.count(), second.is_replay(), second.problem().as_deref()) {
        (1, true, None) => {
            assert_eq!((second.status, &second.body), (first.status, &first.body));
            Replay
        }
        (2, false, None) => Run,
        (1, false, Some("outcome-unknown")) => Unknown,
        other => panic!("{status}: {other:?}"),
    }
}

/// What no handler has decided, and what nobody knows the end of.
const NO_VERDICT: [u16; 9] = [401, 403, 407, 413, 421, 425, 429, 431, 451];
const NOT_KNOWN: [u16; 5] = [408, 500, 502, 503, 599];

fn statuses() -> impl Iterator<Item = u16> {
    (200..=204).chain([226, 300, 301, 303, 307]).chain(400..=431).chain([451, 499]).chain(NOT_KNOWN)
}

#[tokio::test]
async fn verdicts_are_stored() {
    for status in statuses() {
        let repeated = NO_VERDICT.contains(&status) || NOT_KNOWN.contains(&status);
        let expected = if repeated { Run } else { Replay };
        assert_eq!(again(layer(), status, None).await, expected, "{status}");
    }
}

#[tokio::test]
async fn where_nothing_may_run_twice_an_end_that_nobody_knows_is_the_last() {
    let strict = || layer().on_interrupted(OnInterrupted::Unknown);
    for status in statuses() {
        let expected = match status {
            _ if NO_VERDICT.contains(&status) => Run,
            _ if NOT_KNOWN.contains(&status) => Unknown,
            _ => Replay,
        };
        assert_eq!(again(strict(), status, None).await, expected, "{status}");
    }
    // A layer cannot find out, so it does not try.
    let finding = layer().on_interrupted(OnInterrupted::Reconcile);
    assert_eq!(again(finding, 500, None).await, Unknown);
}

#[tokio::test]
async fn the_handler_may_say_what_was_done() {
    let strict = || layer().on_interrupted(OnInterrupted::Unknown);
    for (status, sent, expected) in [
        (500, Effect::NotSent, Run),
        (503, Effect::Refused, Run),
        (422, Effect::NotSent, Run),
        (200, Effect::NotSent, Run),
        (500, Effect::Unknown, Unknown),
        (429, Effect::Unknown, Run),
        (500, Effect::Applied, Replay),
    ] {
        assert_eq!(again(strict(), status, Some(sent)).await, expected, "{status} {sent:?}");
    }
}

#[tokio::test]
async fn stripe_stores_failures_too() {
    for status in statuses() {
        let expected = if NO_VERDICT.contains(&status) || status == 408 { Run } else { Replay };
        let seen = again(layer().statuses(StorePolicy::StripeV1), status, None).await;
        assert_eq!(seen, expected, "{status}");
    }
}

#[tokio::test]
async fn a_function_may_decide() {
    fn only_created(status: StatusCode) -> Disposition {
        if status == 201 { Disposition::Store } else { Disposition::Abandon }
    }
    let strict = || {
        let layer = layer().statuses(StorePolicy::With(only_created));
        layer.on_interrupted(OnInterrupted::Unknown)
    };
    assert_eq!(again(strict(), 201, None).await, Replay);
    assert_eq!(again(strict(), 200, None).await, Unknown);
    assert_eq!(again(strict(), 200, Some(Effect::NotSent)).await, Run);
}

#[tokio::test]
async fn what_is_no_answer_is_not_stored() {
    let (api, runs) = api(layer(), |_| StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(ask(&api, post("k")).await.status, 101);
    let second = ask(&api, post("k")).await;
    assert_eq!(second.problem().as_deref(), Some("completed-without-body"));
    assert_eq!(runs.count(), 1);
}
