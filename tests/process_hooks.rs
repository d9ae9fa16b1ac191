//! Hooks for the events of all policies: `on_event`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(any(feature = "tracing", feature = "log"))]
use resilience::control;
use resilience::{
    Bulkhead, CircuitBreaker, FallbackReason, HedgeCause, IdempotencyRejection, PolicyEvent,
    Rejected, RejectedKind, RetryPolicy, StopReason, bulkhead, circuit_breaker, fallback, hedge,
    on_event, rate_limit, retry, testing, timeout,
};

type Log = Arc<Mutex<Vec<String>>>;

fn lines(log: &Log) -> Vec<String> {
    log.lock().expect("a mutex").clone()
}

/// Returns the events of the policies with this name, from now on. Tests of one process share the
/// hooks.
fn events_of(name: &'static str, line: fn(&PolicyEvent<'_>) -> String) -> Log {
    let log = Log::default();
    let written = Arc::clone(&log);
    on_event(move |event| {
        if event.name() == name {
            let line = line(event);
            written.lock().expect("a mutex").push(line);
        }
    });
    log
}

fn label(event: &PolicyEvent<'_>) -> String {
    event.label().to_owned()
}

#[test]
fn a_hook_gets_the_retries_the_end_and_the_fallback_of_a_call() {
    #[fallback(value = 7, log = "off", name = "whole")]
    #[retry(attempts = 2, jitter = "none", log = "off", name = "whole")]
    fn call() -> Result<u32, String> {
        Err("no connection".into())
    }
    let log = events_of("whole", |event| match event {
        PolicyEvent::Retry(event) => {
            format!("retry {:?} {:?} {:?}", event.attempt, event.error, event.delay)
        }
        PolicyEvent::GiveUp(event) => {
            assert_eq!(event.reason, StopReason::Attempts);
            format!("give up {:?} {:?}", event.attempt, event.error)
        }
        PolicyEvent::Fallback(event) => {
            assert_eq!(event.reason, FallbackReason::Error);
            format!("fallback {:?}", event.error)
        }
        event => format!("{event:?}"),
    });
    let _waits = testing::no_waits();
    assert_eq!(call(), Ok(7));
    assert_eq!(
        lines(&log),
        [
            "retry 1 Some(\"no connection\") 100ms",
            "give up 2 Some(\"no connection\")",
            "fallback Some(\"no connection\")",
        ]
    );
}

/// The error of an async function without hooks is a text as well.
#[tokio::test(start_paused = true)]
async fn a_hook_gets_the_text_of_an_error_of_an_async_function() {
    #[derive(Debug)]
    struct Down;
    #[retry(attempts = 2, jitter = "none", name = "async")]
    async fn call() -> Result<(), Down> {
        Err(Down)
    }
    let log = events_of("async", |event| match event {
        PolicyEvent::Retry(event) => format!("{:?}", event.error),
        PolicyEvent::GiveUp(event) => format!("{:?}", event.error),
        event => format!("{event:?}"),
    });
    assert!(call().await.is_err());
    assert_eq!(lines(&log), ["Some(\"Down\")"; 2]);
}

#[cfg(any(feature = "tracing", feature = "log"))]
#[test]
fn a_hook_gets_a_success_after_a_retry() {
    #[retry(attempts = 3, log = "off", name = "recovers")]
    fn call(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        if *calls == 2 { Ok(()) } else { Err(()) }
    }
    let log = events_of("recovers", |event| match event {
        PolicyEvent::Recovery(event) => format!("{} of {:?}", event.attempt, event.attempts),
        event => event.label().to_owned(),
    });
    let _waits = testing::no_waits();
    assert_eq!(call(&mut 0), Ok(()));
    assert_eq!(lines(&log), ["retry", "2 of Some(3)"]);
}

#[cfg(any(feature = "tracing", feature = "log"))]
#[test]
fn a_success_after_a_retry_reports_the_live_number_of_attempts() {
    #[retry(attempts = 3, log = "off", name = "recovers late")]
    fn call(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        if *calls == 5 { Ok(()) } else { Err(()) }
    }
    let log = events_of("recovers late", |event| match event {
        PolicyEvent::Recovery(event) => format!("{} of {:?}", event.attempt, event.attempts),
        event => event.label().to_owned(),
    });
    let _waits = testing::no_waits();
    control("recovers late").set("retry.attempts", "7").expect("a setting of the policy");
    assert_eq!(call(&mut 0), Ok(()));
    assert_eq!(lines(&log), ["retry", "retry", "retry", "retry", "5 of Some(7)"]);
}

#[test]
fn a_hook_gets_each_kind_of_rejection_with_its_key() {
    #[rate_limit(rate = 1, per = "1m", key = user, key_label = user, name = "limit")]
    fn limited(user: &str) -> Result<(), Rejected> {
        let _ = user;
        Ok(())
    }
    #[bulkhead(max = 1, name = "bulkhead")]
    fn isolated(inner: fn() -> Result<(), Rejected>) -> Result<(), Rejected> {
        inner()
    }
    #[circuit_breaker(failure_threshold = 1, key = host, key_label = host, name = "breaker")]
    fn guarded(host: &str) -> Result<(), Rejected> {
        Err(Rejected::new(RejectedKind::TimedOut, host.to_owned().leak(), None))
    }
    #[rate_limit(rate = 1, per = "1m", shadow, name = "shadow")]
    fn shadow() -> Result<(), Rejected> {
        Ok(())
    }
    #[timeout("2s", name = "timeout")]
    async fn slow() -> Result<(), Rejected> {
        std::future::pending().await
    }
    fn line(event: &PolicyEvent<'_>) -> String {
        match event {
            PolicyEvent::Rejection(rejected) => rejected.to_string(),
            PolicyEvent::StateChange(change) => format!("{} {:?}", change.to, event.key()),
            event => format!("{} {:?}", event.label(), event.key()),
        }
    }
    let logs =
        ["limit", "bulkhead", "breaker", "shadow", "timeout"].map(|name| events_of(name, line));
    let _clock = testing::clock();
    assert!(limited("ann").is_ok() && limited("ann").is_err());
    assert!(isolated(|| isolated(|| Ok(()))).is_err());
    assert!(guarded("pricing").is_err() && guarded("pricing").is_err());
    assert!(shadow().is_ok() && shadow().is_ok());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    assert!(runtime.block_on(slow()).is_err());
    assert_eq!(
        logs.each_ref().map(lines),
        [
            vec!["limit (ann): rate limit reached; retry after 60s".to_owned()],
            vec!["bulkhead: bulkhead full".to_owned()],
            vec![
                "open Some(\"pricing\")".to_owned(),
                "breaker (pricing): circuit open; retry after 30s".to_owned(),
            ],
            vec!["shadow_rejection None".to_owned()],
            vec!["timeout: timed out after 2s".to_owned()],
        ]
    );
}

#[test]
fn a_hook_gets_the_events_of_policies_without_the_attribute() {
    let log = events_of("by hand", label);
    let _waits = testing::no_waits();
    let retry = RetryPolicy::new().attempts(2).name("by hand");
    assert_eq!(retry.run(|| Err::<(), _>(())), Err(()));
    let breaker = CircuitBreaker::new().name("by hand");
    breaker.trip();
    assert!(breaker.run(|| Ok::<(), Rejected>(())).is_err());
    let bulkhead = Bulkhead::new(1).name("by hand");
    assert!(bulkhead.run(|| bulkhead.run(|| Ok::<(), Rejected>(()))).is_err());
    assert_eq!(lines(&log), ["retry", "give_up", "state_change", "rejection", "rejection"]);
}

#[test]
fn hooks_run_in_the_order_of_addition_and_a_panic_changes_nothing() {
    #[retry(attempts = 2, name = "panics")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let first = events_of("panics", |event| {
        assert_eq!(event.label(), "give_up", "a panic in a hook");
        "first".into()
    });
    let order = Arc::clone(&first);
    on_event(move |event| {
        if event.name() == "panics" {
            order.lock().expect("a mutex").push("second".into());
        }
    });
    let _waits = testing::no_waits();
    assert_eq!(call(), Err("down"));
    assert_eq!(lines(&first), ["second", "first", "second"]);
}

#[test]
fn a_hook_may_add_a_hook_and_never_causes_itself() {
    #[retry(attempts = 2, name = "nested")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let log = Log::default();
    let (written, later) = (Arc::clone(&log), Arc::clone(&log));
    on_event(move |event| {
        if event.name() != "nested" || event.label() != "retry" {
            return;
        }
        written.lock().expect("a mutex").push("retry".into());
        assert_eq!(call(), Err("down"));
        let later = Arc::clone(&later);
        on_event(move |event| {
            if event.name() == "nested" {
                later.lock().expect("a mutex").push(format!("later {}", event.label()));
            }
        });
    });
    let _waits = testing::no_waits();
    assert_eq!(call(), Err("down"));
    assert_eq!(lines(&log), ["retry", "later give_up"]);
}

#[test]
fn hooks_run_on_the_thread_of_the_call_before_the_hook_of_the_function() {
    let log = Log::default();
    let written = Arc::clone(&log);
    on_event(move |event| {
        if event.name() == "thread" {
            let thread = std::thread::current();
            written.lock().expect("a mutex").push(thread.name().unwrap_or_default().to_owned());
        }
    });
    let seen = Arc::clone(&log);
    let run = move || {
        let _waits = testing::no_waits();
        let policy = RetryPolicy::new().attempts(2).base_delay(Duration::ZERO).name("thread");
        let result = policy
            .on(|(): &()| true)
            .on_give_up(|_| seen.lock().expect("a mutex").push("function".into()))
            .run(|| Err::<(), _>(()));
        assert_eq!(result, Err(()));
    };
    let thread = std::thread::Builder::new().name("worker".into()).spawn(run).expect("a thread");
    thread.join().expect("no panic");
    assert_eq!(lines(&log), ["worker", "worker", "function"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_gets_the_hedges_of_a_call() {
    #[hedge(after = "50ms", idempotent, name = "hedged")]
    async fn call() -> Result<(), ()> {
        tokio::time::sleep(Duration::from_millis(90)).await;
        Ok(())
    }
    let log = events_of("hedged", |event| match event {
        PolicyEvent::Hedge(hedge) => {
            assert_eq!((event.location(), event.key()), (Some(hedge.location), None));
            format!("{} {} {}", event.label(), hedge.hedge, hedge.cause)
        }
        event => format!("{event:?}"),
    });
    assert_eq!(call().await, Ok(()));
    assert_eq!(lines(&log), ["hedge 1 delay"]);
}

/// Dashboards and alerts name these labels, so a label never changes.
#[test]
fn reasons_have_a_stable_label_and_a_text() {
    for (reason, label, text) in [
        (StopReason::Permanent, "permanent", "the failure is permanent"),
        (StopReason::NotIdempotent, "not_idempotent", "not idempotent"),
        (StopReason::Attempts, "attempts", "all attempts are used up"),
        (StopReason::BodyNotReplayable, "body_not_replayable", "cannot be sent again"),
        (StopReason::Deadline, "deadline", "before the deadline"),
        (StopReason::RetryAfter, "retry_after", "a longer wait than is allowed"),
        (StopReason::Budget, "budget", "the retry budget is used up"),
        (StopReason::Rejected, "rejected", "rejected locally"),
        (StopReason::Nested, "nested", "the retry of an outer function"),
        (StopReason::Disabled, "disabled", "retries are switched off"),
        (StopReason::CircuitOpen, "circuit_open", "the circuit is open"),
    ] {
        assert_eq!(reason.as_str(), label);
        assert!(reason.to_string().contains(text), "{reason}");
    }
    for reason in [FallbackReason::Error, FallbackReason::Rejected, FallbackReason::Value] {
        assert_eq!(reason.to_string(), reason.as_str());
    }
    assert_eq!((HedgeCause::Delay.as_str(), HedgeCause::Failure.as_str()), ("delay", "failure"));
    for (kind, label) in [
        (RejectedKind::CircuitOpen, "circuit_open"),
        (RejectedKind::BulkheadFull, "bulkhead_full"),
        (RejectedKind::RateLimited, "rate_limited"),
        (RejectedKind::TimedOut, "timed_out"),
        (RejectedKind::Panicked, "panicked"),
        (RejectedKind::DeadlineExceeded, "deadline_exceeded"),
        (RejectedKind::Idempotency(IdempotencyRejection::MissingKey), "missing_key"),
        (RejectedKind::Idempotency(IdempotencyRejection::InvalidKey), "invalid_key"),
        (RejectedKind::Idempotency(IdempotencyRejection::KeyReused), "mismatch"),
        (RejectedKind::Idempotency(IdempotencyRejection::InFlight), "in_flight"),
        (RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown), "interrupted"),
        (RejectedKind::Idempotency(IdempotencyRejection::LeaseLost), "lease_lost"),
        (RejectedKind::Idempotency(IdempotencyRejection::Undecodable), "undecodable"),
        (RejectedKind::Idempotency(IdempotencyRejection::NotStored), "not_stored"),
        (RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable), "unavailable"),
    ] {
        assert_eq!(kind.label(), label);
    }
}

#[test]
fn events_of_a_function_name_its_place_and_no_key() {
    const LINE: u32 = line!() + 1;
    #[fallback(value = (), log = "off", name = "placed")]
    #[retry(attempts = 2, log = "off", name = "placed")]
    fn call(failures: &mut u32) -> Result<(), ()> {
        *failures = failures.saturating_sub(1);
        if *failures == 0 { Ok(()) } else { Err(()) }
    }
    let log = events_of("placed", |event| {
        let place = event.location().map(|place| place.to_string());
        assert_eq!(place, Some(format!("{}:{LINE}", file!())));
        assert_eq!(event.key(), None);
        event.label().to_owned()
    });
    let _waits = testing::no_waits();
    assert_eq!((call(&mut 2), call(&mut 9)), (Ok(()), Ok(())));
    let mut seen = lines(&log);
    // A success after a retry is an event only if a log may show the event.
    seen.retain(|label| label != "recovery");
    assert_eq!(seen, ["retry", "retry", "give_up", "fallback"]);
}
