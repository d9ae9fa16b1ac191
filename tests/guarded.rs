//! `Guarded`: functions that return the error of another crate, under each attribute.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::io;
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, Classify, Effect, FailureClass, FailureKind, FromRejected, Guarded,
    RateLimiter, Rejected, RejectedKind, RetryPolicy, bulkhead, circuit_breaker, fallback,
    idempotent, rate_limit, retry, testing, timeout,
};

/// The error of a library: no conversion from a rejection, and no classification.
#[derive(Debug, PartialEq)]
struct ClientError(&'static str);

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for ClientError {}

fn request(answers: &mut Vec<Result<u32, ClientError>>) -> Result<u32, ClientError> {
    answers.remove(0)
}

fn kind<E>(error: &Guarded<E>) -> Option<RejectedKind> {
    error.rejected().map(Rejected::kind)
}

#[test]
fn a_breaker_a_bulkhead_and_a_limiter_reject_calls_of_a_library() {
    #[circuit_breaker(failure_threshold = 1)]
    fn broken() -> Result<u32, Guarded<ClientError>> {
        Ok(request(&mut vec![Err(ClientError("down"))])?)
    }
    #[rate_limit(rate = 1, per = "1h")]
    fn limited() -> Result<u32, Guarded<ClientError>> {
        Ok(request(&mut vec![Ok(7)])?)
    }
    static ONE: Bulkhead = Bulkhead::new(1);
    #[bulkhead(bulkhead = ONE)]
    fn narrow() -> Result<u32, Guarded<ClientError>> {
        Ok(request(&mut vec![Ok(7)])?)
    }
    assert_eq!(broken(), Err(Guarded::Failed(ClientError("down"))));
    assert_eq!(kind(&broken().expect_err("a failure")), Some(RejectedKind::CircuitOpen));
    assert_eq!(limited(), Ok(7));
    assert_eq!(kind(&limited().expect_err("a failure")), Some(RejectedKind::RateLimited));
    assert_eq!(narrow(), Ok(7));
    let _permit = ONE.try_acquire();
    assert_eq!(kind(&narrow().expect_err("a failure")), Some(RejectedKind::BulkheadFull));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_and_an_idempotency_key_reject_calls_of_a_library() {
    #[timeout("1s")]
    async fn hanging() -> Result<u32, Guarded<reqwest::Error>> {
        let client = reqwest::Client::new();
        pending::<()>().await;
        Ok(client.get("http://localhost").send().await?.text().await?.parse().unwrap_or(7))
    }
    #[idempotent(key = id, name = "pay", scope = "global")]
    async fn pay(id: &str) -> Result<u32, Guarded<serde_json::Error>> {
        Ok(serde_json::from_str(id)?)
    }
    assert_eq!(kind(&hanging().await.expect_err("a failure")), Some(RejectedKind::TimedOut));
    let failed = pay("x").await.expect_err("a failure");
    assert!(failed.failed().is_some_and(serde_json::Error::is_syntax));
    assert!(matches!(pay("").await.expect_err("a failure"), Guarded::Rejected(_)));
    assert_eq!(pay("7").await.expect("a number"), 7);
}

#[test]
fn every_attribute_stacks_over_a_guarded_error() {
    #[fallback(value = 0)]
    #[retry(attempts = 3, on_rejection = "wait", max_retry_after = "1h")]
    #[circuit_breaker(failure_threshold = 5)]
    #[rate_limit(rate = 1, per = "1m")]
    #[bulkhead(max = 1)]
    fn call(answers: &mut Vec<Result<u32, ClientError>>) -> Result<u32, Guarded<ClientError>> {
        Ok(request(answers)?)
    }
    let clock = testing::clock();
    let mut answers = vec![Err(ClientError("reset")), Ok(7)];
    assert_eq!(call(&mut answers), Ok(7));
    // The second attempt waited for the rate limit.
    assert!(clock.elapsed() >= Duration::from_secs(60), "{:?}", clock.elapsed());
}

#[test]
fn the_class_of_a_library_error_and_of_a_rejection_of_another_function() {
    #[rate_limit(rate = 1, per = "1h")]
    fn limited() -> Result<u32, Guarded<ClientError>> {
        Ok(7)
    }
    // Without a classification of `ClientError`: transient, and rejections end the call.
    #[retry(attempts = 3)]
    fn caller(calls: &mut u32) -> Result<u32, Guarded<ClientError>> {
        *calls += 1;
        limited()
    }
    #[retry(attempts = 3, on = |error| error.classify_with(|error| error.0 == "reset"))]
    fn selective(answers: &mut Vec<Result<u32, ClientError>>) -> Result<u32, Guarded<ClientError>> {
        Ok(request(answers)?)
    }
    let _guard = testing::no_waits();
    let mut calls = 0;
    assert_eq!(caller(&mut calls), Ok(7));
    assert!(caller(&mut calls).is_err());
    assert_eq!(calls, 2);
    assert_eq!(selective(&mut vec![Err(ClientError("reset")), Ok(7)]), Ok(7));
    let denied = selective(&mut vec![Err(ClientError("denied")), Ok(7)]);
    assert_eq!(denied, Err(Guarded::Failed(ClientError("denied"))));
}

#[derive(Debug, PartialEq, Classify)]
#[permanent]
struct Classified;

#[test]
fn a_classified_error_keeps_its_class() {
    assert_eq!(Guarded::Failed(Classified).classify(), FailureClass::permanent());
    let rejected = Rejected::new(RejectedKind::CircuitOpen, "api", None);
    let guarded: Guarded<Classified> = Guarded::Rejected(rejected.clone());
    assert_eq!(guarded.classify(), rejected.classify());
    assert_eq!(guarded.classify().effect, Effect::NotSent);
}

#[test]
fn the_http_classification_accepts_a_guarded_client_error() {
    #[retry(on = resilience::http::classify)]
    #[circuit_breaker(on = resilience::http::classify)]
    async fn get(url: &str) -> Result<reqwest::Response, Guarded<reqwest::Error>> {
        Ok(reqwest::get(url).await?)
    }
    let refused = Guarded::Failed(io::Error::from(io::ErrorKind::ConnectionRefused));
    let class = FailureClass::transient().effect(Effect::NotSent);
    assert_eq!(resilience::http::classify(&refused), class);
    let lost = Guarded::Failed(sqlx::Error::PoolTimedOut);
    assert_eq!(lost.classify_with(resilience::stores::sqlx::classify), class);
    assert_eq!(resilience::stores::classify_chain(&lost), class);
    drop(get("http://localhost"));
}

#[test]
fn a_guarded_error_in_a_box_is_found_by_the_layers_outside() {
    #[circuit_breaker(failure_threshold = 1)]
    fn broken() -> Result<u32, Guarded<ClientError>> {
        Err(ClientError("down").into())
    }
    #[retry(attempts = 5)]
    fn caller(calls: &mut u32) -> anyhow::Result<u32> {
        *calls += 1;
        Ok(broken()?)
    }
    let _guard = testing::no_waits();
    let mut calls = 0;
    let error = caller(&mut calls).expect_err("a failure");
    // The first failure opens the circuit, and the rejection of the second attempt ends the call.
    assert_eq!(calls, 2);
    let rejected = Rejected::find(error.as_ref()).expect("a rejection");
    assert_eq!(rejected.kind(), RejectedKind::CircuitOpen);
    assert_eq!(rejected.source().map(ToString::to_string).as_deref(), Some("down"));
    let failed: Box<dyn Error> = Guarded::Failed(ClientError("down")).into();
    assert_eq!(failed.to_string(), "down");
    let source = failed.source().and_then(|source| source.downcast_ref::<ClientError>());
    assert_eq!(source, Some(&ClientError("down")));
}

#[test]
fn policies_without_an_attribute_return_a_guarded_error() {
    let limiter = RateLimiter::new(1, Duration::from_secs(3600));
    let call = || limiter.run(|| Ok::<_, Guarded<ClientError>>(7));
    assert_eq!(call(), Ok(7));
    assert_eq!(kind(&call().expect_err("a failure")), Some(RejectedKind::RateLimited));
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let down = || breaker.run(|| Err::<u32, Guarded<_>>(ClientError("down").into()));
    assert_eq!(down(), Err(Guarded::Failed(ClientError("down"))));
    assert_eq!(kind(&down().expect_err("a failure")), Some(RejectedKind::CircuitOpen));
    let _guard = testing::no_waits();
    let mut answers = vec![Err(ClientError("reset")), Ok(7)];
    let answer = RetryPolicy::new().run(|| Ok::<_, Guarded<ClientError>>(request(&mut answers)?));
    assert_eq!(answer, Ok(7));
}

#[test]
fn the_error_of_a_type_parameter_is_guarded() {
    #[bulkhead(max = 1)]
    fn call<E>(run: impl FnOnce() -> Result<u32, E>) -> Result<u32, Guarded<E>> {
        Ok(run()?)
    }
    fn of_any<E, By>(rejected: Rejected) -> E
    where
        E: FromRejected<By>,
    {
        E::from_rejected(rejected)
    }
    assert_eq!(call(|| Err("down")), Err(Guarded::Failed("down")));
    let rejected = Rejected::new(RejectedKind::BulkheadFull, "call", None);
    let guarded: Guarded<&str> = of_any(rejected.clone());
    assert_eq!(guarded, Guarded::Rejected(rejected.clone()));
    assert_eq!(of_any::<io::Error, _>(rejected).kind(), io::ErrorKind::Other);
}

#[test]
fn the_parts_of_a_guarded_error() {
    let failed = Guarded::Failed(ClientError("down"));
    assert_eq!(failed.failed(), Some(&ClientError("down")));
    assert_eq!(failed.map(|error| error.0).into_inner(), Ok("down"));
    let rejected = Rejected::new(RejectedKind::RateLimited, "api", None);
    let guarded: Guarded<ClientError> = Guarded::Rejected(rejected.clone());
    assert_eq!(guarded.to_string(), "api: rate limit reached");
    assert_eq!(guarded.rejected(), Some(&rejected));
    assert_eq!(guarded.map(|error| error.0).into_inner(), Err(rejected.clone()));
    assert_eq!(rejected.classify().kind, FailureKind::Throttled);
}
