//! The responses to store.

use std::future::ready;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::post as on_post;
use axum::{Extension, Router};
use resilience::http::{IdempotencyLayer, StorePolicy};
use resilience::idempotent::{Disposition, OnInterrupted};
use resilience::{
    Effect, FailureClass, RateLimiter, Rejected, RejectedKind, RetryPolicy, rate_limit, retry,
};

use crate::raw_client::pay as pay_at;
use crate::server::Server;
use crate::{Memory, Runs, api, ask, layer, post};

/// The treatment of the second request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Replay,
    Run,
    Unknown,
}
use Second::{Replay, Run, Unknown};

async fn again(layer: IdempotencyLayer<Memory>, status: u16, effect: Option<Effect>) -> Second {
    let status = StatusCode::from_u16(status).expect("a status");
    let (api, runs) = api(layer, move |_| (status, effect.map(Extension), "said"));
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

/// Statuses without a decision of the handler, and statuses with an unknown outcome.
const NO_DECISION: [u16; 9] = [401, 403, 407, 413, 421, 425, 429, 431, 451];
const UNKNOWN_OUTCOME: [u16; 5] = [408, 500, 502, 503, 599];

fn statuses() -> impl Iterator<Item = u16> {
    (200..=204)
        .chain([226, 300, 301, 303, 307])
        .chain(400..=431)
        .chain([451, 499])
        .chain(UNKNOWN_OUTCOME)
}

#[tokio::test]
async fn definitive_responses_are_stored() {
    for status in statuses() {
        let repeated = NO_DECISION.contains(&status) || UNKNOWN_OUTCOME.contains(&status);
        let expected = if repeated { Run } else { Replay };
        assert_eq!(again(layer(), status, None).await, expected, "{status}");
    }
}

#[tokio::test]
async fn with_unknown_an_unknown_outcome_is_final() {
    let strict = || layer().on_interrupted(OnInterrupted::Unknown);
    for status in statuses() {
        let expected = match status {
            _ if NO_DECISION.contains(&status) => Run,
            _ if UNKNOWN_OUTCOME.contains(&status) => Unknown,
            _ => Replay,
        };
        assert_eq!(again(strict(), status, None).await, expected, "{status}");
    }
    // A layer cannot reconcile, so `Reconcile` acts as `Unknown`.
    let finding = layer().on_interrupted(OnInterrupted::Reconcile);
    assert_eq!(again(finding, 500, None).await, Unknown);
}

#[tokio::test]
async fn the_handler_can_set_the_effect() {
    let strict = || layer().on_interrupted(OnInterrupted::Unknown);
    for (status, effect, expected) in [
        (500, Effect::NotSent, Run),
        (503, Effect::Refused, Run),
        (422, Effect::NotSent, Run),
        (200, Effect::NotSent, Run),
        (500, Effect::Unknown, Unknown),
        (429, Effect::Unknown, Unknown),
        (401, Effect::Unknown, Unknown),
        (422, Effect::Unknown, Replay),
        (500, Effect::Applied, Replay),
    ] {
        assert_eq!(again(strict(), status, Some(effect)).await, expected, "{status} {effect:?}");
    }
}

#[tokio::test]
async fn a_rejection_by_a_policy_was_not_applied() {
    use RejectedKind::{BulkheadFull, CircuitOpen, RateLimited, TimedOut};
    let strict = || layer().on_interrupted(OnInterrupted::Unknown);
    for (kind, expected) in [(CircuitOpen, 2), (BulkheadFull, 2), (RateLimited, 2), (TimedOut, 1)] {
        let (api, runs) = api(strict(), move |_| Rejected::new(kind, "bank", None));
        let status = ask(&api, post("k")).await.status;
        assert!(status >= 429, "{kind:?}");
        ask(&api, post("k")).await;
        assert_eq!(runs.count(), expected, "{kind:?}");
    }
    // A handler with an earlier effect overrules the rejection, whatever the status.
    for (kind, status) in [(CircuitOpen, 503), (BulkheadFull, 503), (RateLimited, 429)] {
        let rejected = move || Rejected::new(kind, "bank", None);
        let (by_extension, runs) = api(strict(), move |_| (Extension(Effect::Unknown), rejected()));
        let (by_rejection, other_runs) =
            api(strict(), move |_| rejected().with_effect(Effect::Unknown));
        for (api, runs) in [(by_extension, runs), (by_rejection, other_runs)] {
            assert_eq!(ask(&api, post("k")).await.status, status);
            let problem = ask(&api, post("k")).await.problem();
            assert_eq!((problem.as_deref(), runs.count()), (Some("outcome-unknown"), 1));
        }
    }
}

/// The first attempt may have been applied, and a policy of the server rejects the second attempt.
#[tokio::test]
async fn a_rejected_attempt_after_a_lost_attempt_leaves_an_unknown_outcome() {
    static BANK: RateLimiter = RateLimiter::new(1, Duration::from_secs(60));

    #[retry(attempts = 3, on = |_| true, base_delay = "1ms")]
    #[rate_limit(limiter = BANK)]
    async fn pay(runs: &Runs) -> Result<String, Rejected> {
        runs.increment();
        Err(Rejected::timed_out("bank", Duration::from_secs(1)))
    }
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || {
        let counted = counted.clone();
        pay(&counted).await
    };
    let layer = layer().on_interrupted(OnInterrupted::Unknown);
    let server = Server::start(Router::new().route("/pay", on_post(handler)).layer(layer)).await;
    assert_eq!(pay_at(server.address, "k").await.status, 429);
    BANK.settle(1, 0);
    let again = pay_at(server.address, "k").await;
    assert_eq!((again.problem().as_deref(), runs.count()), (Some("outcome-unknown"), 1));
}

/// The bank does not answer the first attempt, and rejects or refuses the second.
#[tokio::test]
async fn a_refused_attempt_after_a_lost_attempt_leaves_an_unknown_outcome() {
    type Respond = fn() -> Response;
    let rejection: Respond =
        || Rejected::new(RejectedKind::CircuitOpen, "bank", None).into_response();
    let too_many: Respond = || StatusCode::TOO_MANY_REQUESTS.into_response();
    let found_out: Respond =
        || (StatusCode::BAD_GATEWAY, Extension(Effect::NotSent)).into_response();
    let declined: Respond = || StatusCode::PAYMENT_REQUIRED.into_response();
    for (respond, expected) in
        [(rejection, Unknown), (too_many, Unknown), (found_out, Run), (declined, Replay)]
    {
        let runs = Runs::default();
        let counted = runs.clone();
        let handler = async move || {
            let mut is_first = true;
            let class = |effect: &Effect| FailureClass::transient().effect(*effect);
            let retry = RetryPolicy::new().attempts(2).base_delay(Duration::from_millis(1));
            counted.increment();
            let bank = || {
                let effect = if is_first { Effect::Unknown } else { Effect::NotSent };
                is_first = false;
                ready(Err::<(), _>(effect))
            };
            assert_eq!(retry.on(class).run_async(bank).await, Err(Effect::NotSent));
            respond()
        };
        let layer = layer().on_interrupted(OnInterrupted::Unknown);
        let server =
            Server::start(Router::new().route("/pay", on_post(handler)).layer(layer)).await;
        pay_at(server.address, "k").await;
        let second = pay_at(server.address, "k").await;
        let seen = match (runs.count(), second.is_replay(), second.problem().as_deref()) {
            (1, true, None) => Replay,
            (2, false, None) => Run,
            (1, false, Some("outcome-unknown")) => Unknown,
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, expected, "{:?}", respond().status());
    }
}

#[tokio::test]
async fn stripe_v1_stores_server_errors() {
    for status in statuses() {
        let expected = if NO_DECISION.contains(&status) || status == 408 { Run } else { Replay };
        let seen = again(layer().store_policy(StorePolicy::StripeV1), status, None).await;
        assert_eq!(seen, expected, "{status}");
    }
}

#[tokio::test]
async fn a_function_decides() {
    fn only_created(status: StatusCode) -> Disposition {
        if status == 201 { Disposition::Store } else { Disposition::Abandon }
    }
    let strict = || {
        let layer = layer().store_policy(StorePolicy::With(only_created));
        layer.on_interrupted(OnInterrupted::Unknown)
    };
    assert_eq!(again(strict(), 201, None).await, Replay);
    assert_eq!(again(strict(), 200, None).await, Unknown);
    assert_eq!(again(strict(), 200, Some(Effect::NotSent)).await, Run);
}

#[tokio::test]
async fn an_informational_response_is_not_stored() {
    let (api, runs) = api(layer(), |_| StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(ask(&api, post("k")).await.status, 101);
    let second = ask(&api, post("k")).await;
    assert_eq!(second.problem().as_deref(), Some("completed-without-body"));
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_conflict_with_a_retry_delay_is_not_stored() {
    for (status, delay, expected) in [
        (409, None, Replay),
        (409, Some(("retry-after", "1")), Run),
        (409, Some(("retry-after-ms", "250")), Run),
        (423, Some(("retry-after", "1")), Run),
        (422, Some(("retry-after", "1")), Replay),
        (201, Some(("retry-after", "1")), Replay),
    ] {
        let status = StatusCode::from_u16(status).expect("a status");
        let (api, runs) = api(layer(), move |_| (status, AppendHeaders(delay)));
        ask(&api, post("k")).await;
        let second = ask(&api, post("k")).await;
        let expected = if expected == Run { (2, false) } else { (1, true) };
        assert_eq!((runs.count(), second.is_replay()), expected, "{status} {delay:?}");
    }
}
